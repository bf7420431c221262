/**
 * unseat's removals on the simulated kernel: every shape of holder, every way, every profile. Nothing is left, nobody reaches
 * into another domain, the files are there after a rebind, survivors live, settings are as before; or it is refused
 * beforehand with the right reason.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domainsOf } from '../../src/kernel/domains.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { presentPages } from '../../src/kernel/setup/look.ts';
import { eachTask, isAlive, TASK_OOPSED, TASK_STOPPED, taskPid, taskState } from '../../src/kernel/task.ts';
import { valueOf } from '../../src/profile/build.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { profileByName, profileNames, releaseNames } from '../../src/profile/select.ts';
import { runShape, settingsOf, type Done, type ShapeRun } from './run-shape.ts';
import { SHAPES, type HolderWay, type Shape } from './shapes.ts';

const crossed = (k: Kernel): number => {
  const d = domainsOf(k);
  return [0, 1, 2].reduce((sum, via) => sum + k.heap.load(d.crossReads + via) + k.heap.load(d.crossWrites + via), 0);
};
const counts = (o: Done, key: 'own' | 'pages'): number => (o.pages ?? []).reduce((sum, p) => sum + p[key], 0);
const others = (o: Done): number => (o.pages ?? []).flatMap((p) => Object.values(p.others)).reduce((a, b) => a + b, 0);

/** Reasons that the plan must name where it refuses; null where it must not. */
function refusal(shape: Shape, way: HolderWay, profile: Profile): readonly string[] | null {
  const mapped = shape.processes.some((p) => p['maps'] !== undefined);
  const named = shape.refused?.[way];
  if (named !== undefined) return named;
  if (way !== 'force' || !mapped) return null;
  if (valueOf(profile, 'fsdax.memory-failure-collects') !== 'early-kill') return ['force-has-no-effect'];
  return valueOf(profile, 'fsdax.remove-waits-for-holder') ? ['held-by-mount'] : null;
}

function unharmed({ built: { world: { k } } }: ShapeRun, what: string): void {
  for (const task of eachTask(k)) for (const bad of [TASK_STOPPED, TASK_OOPSED]) assert.notEqual(taskState(k, task), bad, `${what}: pid ${taskPid(k, task)}`);
  assert.equal(crossed(k), 0, `${what}: somebody reached into another domain`);
  assert.ok(!k.log.since(0).some((line) => /Bad page map|^BUG|Oops/.test(line.text)), `${what}: ${k.log.since(0).map((l) => l.text).join('\n')}`);
}

/** Right after the removal: no page of the device is mapped by anybody, and nobody holds it but after memory_failure(). */
function nothingLeft(run: ShapeRun, what: string): void {
  const { world: { k } } = run.built;
  for (const task of eachTask(k)) assert.equal(presentPages(k, task, 0x1_0000_0000 / 4096, 0x1_1000_0000 / 4096), 0, `${what}: pid ${taskPid(k, task)} maps pages of the device`);
  if (run.way.way === 'force') return;
  const pids = run.host.processes.pids();
  for (const pid of Array.isArray(pids) ? pids : []) {
    assert.deepEqual(run.host.processes.mappings(pid, new Set(run.numbers)), [], `${what}: pid ${pid}`);
    const threads = run.host.processes.threads(pid);
    for (const tid of Array.isArray(threads) ? threads : []) assert.deepEqual(placesAndFiles(run, tid), [], `${what}: thread ${tid} of pid ${pid}`);
  }
}

/** What a thread has open of the device, and which of its directories are there. */
function placesAndFiles({ host: { processes }, numbers }: ShapeRun, tid: number): string[] {
  const files = processes.openFiles(tid);
  const open = Array.isArray(files) ? files : [];
  const places = (['cwd', 'root'] as const).map((which) => processes.place(tid, which));
  return [...open, ...places].flatMap((one) => ('dev' in one && one.dev !== undefined && numbers.includes(one.dev) ? [one.target] : []));
}

function survivors(run: ShapeRun, shape: Shape, way: HolderWay, what: string): void {
  const now = run.host.processes.pids();
  assert.ok(Array.isArray(now));
  // Nothing was touched yet: also who has no handler for SIGBUS lives after detach.
  for (const { name, sigbus } of shape.processes as readonly { name: string; sigbus?: string }[]) {
    const lives = now.includes(run.pids.get(name));
    if (way === 'kill') assert.ok(!lives, `${what}: ${name} lives`);
    else if (way === 'detach' || sigbus !== 'default') assert.ok(lives, `${what}: ${name} has ended`);
  }
}

async function one(name: string, shape: Shape, fs: Readonly<Record<string, unknown>>, way: HolderWay, profile: Profile): Promise<'done' | 'refused' | 'called off'> {
  const what = `${JSON.stringify(fs)}, ${way}, ${name}, ${profile.name}`;
  const run = await runShape(shape, fs, way, profile);
  const reasons = refusal(shape, way, profile);
  if (run.record === null) {
    for (const reason of reasons ?? ['none']) assert.ok(run.way.blockers.some((b) => b.reason === reason && b.next !== ''), `${what}: ${JSON.stringify(run.way.blockers)}`);
    unharmed(run, what);
    return 'refused';
  }
  assert.equal(reasons, null, `${what}: not refused`);
  unharmed(run, what);
  assert.deepEqual(settingsOf(run.host), run.before, what);
  // Whether a holder asked for late kill is nowhere to be seen: only the second look at pagemap tells, and all is put back.
  if (name === 'PR_MCE_KILL_LATE' && way === 'force') {
    assert.equal(run.record.status, 'called-off', what);
    return 'called off';
  }
  assert.equal(run.record.status, 'done', `${what}: ${JSON.stringify(run.record.steps.at(-1))}`);
  nothingLeft(run, what);
  survivors(run, shape, way, what);
  afterwards(run, way === 'force' && name === 'forked children', what);
  return 'done';
}

function afterwards(run: ShapeRun, stays: boolean, what: string): void {
  const { k } = run.built.world;
  const steps = run.rest();
  for (const o of steps) {
    // Who has no handler for SIGBUS ends at the first touch of what is gone.
    if (o.ending === 'not-available' && /"sigbus":"default"/.test(JSON.stringify(run.built.scenario.processes))) continue;
    assert.equal(o.ending, 'returned', `${what}: ${o.verb} ${o.subject} ${o.ending} ${o.errno ?? ''} ${o.detail ?? ''}`);
    assert.equal(o.errno, undefined, `${what}: ${o.verb} ${o.subject}`);
    if (o.verb === 'read' && o.label === null) assert.equal(others(o), 0, `${what}: ${o.subject} sees the next owner`);
  }
  unharmed(run, what);
  if (stays) return;
  const intact = steps.find((o) => o.label === 'intact');
  assert.ok(intact !== undefined && counts(intact, 'pages') > 0, what);
  // What write(2) puts into a file is not marked on the simulated kernel.
  if (!JSON.stringify(run.built.scenario.processes).includes('"path":"/mnt/data"')) assert.equal(counts(intact, 'own'), counts(intact, 'pages'), `${what}: the file is not as it was`);
  const stranger = run.built.processes.get('stranger');
  assert.ok(stranger !== undefined && isAlive(k, stranger.task), what);
}

/** The proposals are taken in turns here, one a day, and all of them in a stage of CI of its own. */
const EVERY = process.env['UNSEAT_EVERY_CALL'] === '1';
const DAY = Number(process.env['UNSEAT_SEED'] ?? (process.env['CI'] === 'true' ? 1 : Math.floor(Date.now() / 86_400_000)));
const PROPOSALS = profileNames().filter((name) => !releaseNames().includes(name));
const TODAY = PROPOSALS[DAY % PROPOSALS.length] ?? '';
const XFS = EVERY ? releaseNames().filter((n) => n !== '5.2' && n !== '5.10') : ['6.12', '7.2'];

for (const [fs, names] of [[{ type: 'ext4' }, EVERY ? profileNames() : [...releaseNames(), TODAY]], [{ type: 'xfs', rmapbt: true }, XFS]] as const) {
  for (const way of ['detach', 'force', 'kill'] as const) {
    test(`${fs.type}, ${way}: every shape of holder under ${EVERY ? 'every profile' : names.join(', ')}`, async () => {
      const ends = { 'done': 0, 'refused': 0, 'called off': 0 };
      for (const [name, shape] of Object.entries(SHAPES)) for (const profile of names) ends[await one(name, shape, fs, way, profileByName(profile) as Profile)] += 1;
      assert.ok(ends.done >= 10, JSON.stringify(ends));
    });
  }
}
