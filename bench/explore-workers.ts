/**
 * One thread against two workers over one shared table of states, above a million states: seconds by the clock, states per
 * second, bytes per state. Both must count the same. `node bench/explore-workers.ts [--rounds N]`.
 *
 * On a machine that has other work the clock says little. So the longest way is printed too: processor time of the first
 * thread, or where that is more, what it had used when it started the others and then the one of them that used most. It is what
 * a machine with free processors would need at least. Threads of the runtime itself (its compiler) are left out of it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BreadthFirst } from '../src/explore/breadth-first.ts';
import { searchShared } from '../src/explore/parallel/shared-search.ts';
import { gupRemoval } from '../src/explore/protocols/gup-removal.ts';
import type { Verdict } from '../src/explore/verdict.ts';
import { startThread, type ThreadEvents, type ThreadHandle } from '../src/host/live/threads.ts';

interface Measured { readonly states: number; readonly transitions: number; readonly seconds: number; readonly processor: number; readonly longest: number; readonly bytes: number; readonly rss: number }
const SIZES = [[4, 2], [6, 1]] as const;
const self = resolve(import.meta.dirname, 'explore-workers.ts');
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 3;

/** Processor seconds of each thread of this process, the first one first (/proc/self/task/TID/stat: utime and stime, in hundredths). */
function perThread(): number[] {
  return readdirSync('/proc/self/task').sort((a, b) => Number(a) - Number(b)).map((tid) => {
    const fields = readFileSync(`/proc/self/task/${tid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
}

/** What the first thread had used when it started another, and what each had used when the search was over and before they ended. */
let usedBefore = 0;
let used: number[] = [];
const counted = (source: string, task: unknown, events: ThreadEvents): ThreadHandle => {
  if (usedBefore === 0) usedBefore = perThread()[0] ?? 0;
  const thread = startThread(source, task, events);
  return {
    ...thread,
    stop: async () => {
      if (used.length === 0) used = perThread();
      await thread.stop();
    },
  };
};

/** workers 0: the search of one thread, without shared memory. */
async function one(processes: number, pages: number, workers: number): Promise<Measured> {
  const options = { now: () => performance.now(), all: true };
  const before = process.cpuUsage();
  const [loaded = 0] = perThread();
  const began = performance.now();
  const verdict: Verdict = workers === 0
    ? new BreadthFirst(gupRemoval(processes, pages, true), options).run()
    : await searchShared({ kind: 'gup-removal', processes, pages, rightOrder: true }, { ...options, workers, startThread: counted });
  const seconds = (performance.now() - began) / 1000;
  const all = process.cpuUsage(before);
  if (used.length === 0) used = perThread().slice(0, 1);
  const longest = Math.max(...used.map((time, thread) => time + (thread === 0 ? 0 : usedBefore))) - loaded;
  if (!verdict.complete || verdict.violations.length > 0) throw new Error('the verdict is wrong');
  return { states: verdict.stats.states, transitions: verdict.stats.transitions, seconds, processor: (all.user + all.system) / 1e6, longest, bytes: verdict.stats.bytesPerState, rss: process.resourceUsage().maxRSS * 1024 };
}

/** Of some rounds, each in a process of its own, the shortest time by the clock and the shortest longest way. */
function best(processes: number, pages: number, workers: number): Measured {
  const runs = Array.from({ length: rounds }, () => {
    const run = spawnSync(process.execPath, [self, '--one', String(processes), String(pages), String(workers)], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout) as Measured;
  });
  const least = (of: (m: Measured) => number): number => Math.min(...runs.map(of));
  return { ...(runs[0] as Measured), seconds: least((m) => m.seconds), processor: least((m) => m.processor), longest: least((m) => m.longest) };
}

if (process.argv.includes('--one')) {
  const [processes, pages, workers] = process.argv.slice(process.argv.indexOf('--one') + 1).map(Number) as [number, number, number];
  console.log(JSON.stringify(await one(processes, pages, workers)));
} else {
  for (const [processes, pages] of SIZES) {
    const alone = best(processes, pages, 0);
    console.log(`${processes} processes, ${pages} pages: ${alone.states} states, ${alone.transitions} transitions`);
    for (const workers of [0, 1, 2]) {
      const m = workers === 0 ? alone : best(processes, pages, workers);
      const same = m.states === alone.states && m.transitions === alone.transitions;
      if (!same) process.exitCode = 1;
      const rate = `${(m.states / m.seconds / 1e6).toFixed(2)} M states/s, ${(m.transitions / m.seconds / 1e6).toFixed(1)} M transitions/s`;
      console.log(`  ${workers === 0 ? 'one thread' : `${workers} worker${workers > 1 ? 's' : ' (alone in shared memory)'}`}: ${m.seconds.toFixed(2)} s (${m.processor.toFixed(2)} s of processors, ${m.longest.toFixed(2)} s on the longest way), ${rate}, ${m.bytes.toFixed(1)} bytes a state in the table, ${(m.rss / m.states).toFixed(0)} with everything; ${(alone.seconds / m.seconds).toFixed(2)} of one thread by the clock, ${(alone.longest / m.longest).toFixed(2)} by processor time${same ? '' : '; DIFFERENT'}`);
    }
  }
}
