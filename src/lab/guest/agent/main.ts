/** The agent: the program that runs inside a lab guest. Brings the machine into the scenario's state, takes its steps, and reports. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observation } from '../../../scenario/observation.ts';
import type { Step } from '../../../scenario/step.ts';
import { countFindings, firstTrace, findingsIn } from '../../log-findings.ts';
import { sendCapture } from './capture.ts';
import { sendForecast } from './forecast.ts';
import { GuestChannel } from './channel.ts';
import { KernelLog } from './kmsg.ts';
import { NotAvailable, type Guest } from './machine.ts';
import { makeFilesystems } from './setup/filesystems.ts';
import { setUpHardware } from './setup/hardware.ts';
import { findRegions, makeNamespaces } from './setup/namespaces.ts';
import { startProcesses } from './setup/processes.ts';
import { useAsRam } from './setup/system-ram.ts';
import type { Seen } from './steps/outcome.ts';
import { takeStep } from './steps/take.ts';

const seconds = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

async function main(): Promise<void> {
  const channel = new GuestChannel();
  const log = new KernelLog();
  channel.send({ type: 'hello', release: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(), seconds: seconds() });
  const { scenario, upTo, plan } = await channel.awaitRun();
  const guest: Guest = { scenario, channel, log, devices: new Map(), holders: new Map(), unseat: process.argv[2] ?? '' };
  try {
    await setUp(guest);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    channel.send({ type: 'setup-failed', reason: `${detail}\n${log.fresh().slice(-15).join('\n')}`, notAvailable: error instanceof NotAvailable });
    return finish(guest);
  }
  channel.send({ type: 'ready', facts: { seconds: seconds(), devices: [...guest.devices.values()], pids: Object.fromEntries([...guest.holders].map(([name, h]) => [name, h.pid])) } });
  if (plan) await sendForecast(guest);
  if (upTo === 'capture') await sendCapture(guest);
  if (upTo === 'end') for (const [index, step] of scenario.steps.entries()) await observe(guest, step, index);
  await finish(guest);
}

async function setUp(guest: Guest): Promise<void> {
  await setUpHardware(guest);
  await findRegions(guest);
  await makeNamespaces(guest);
  await useAsRam(guest);
  await makeFilesystems(guest);
  await startProcesses(guest);
}

async function observe(guest: Guest, step: Step, index: number): Promise<void> {
  guest.log.fresh();
  guest.channel.send({ type: 'begin', step: index });
  const lines: string[] = [];
  const crashed = (): boolean => {
    lines.push(...guest.log.fresh());
    return lines.some((line) => findingsIn(line).includes('oops'));
  };
  const begun = performance.now();
  let seen: Seen;
  try {
    seen = await takeStep(guest, step, crashed);
  } catch (error) {
    seen = { ending: 'not-available', detail: error instanceof Error ? error.message : String(error) };
  }
  const milliseconds = Math.round(performance.now() - begun);
  // What the kernel still has to say about the step comes a moment after it.
  await sleep(250);
  const oops = crashed();
  const trace = firstTrace(lines);
  const detail = [seen.detail, trace].filter((text) => text !== undefined && text !== '').join('\n');
  const observation: Observation = {
    ...seen, step: index, verb: step.verb, label: step.label, subject: seen.subject ?? subjectOf(step), milliseconds,
    ending: oops && seen.ending !== 'not-available' ? 'oops' : seen.ending, log: countFindings(lines), ...(detail === '' ? {} : { detail }),
  };
  guest.channel.send({ type: 'observation', observation });
}

function subjectOf(step: Step): string {
  const a: unknown = step.argument;
  if (typeof a === 'string') return a;
  if (Array.isArray(a)) return a.join(' ');
  if (typeof a !== 'object' || a === null) return String(a);
  const o = a as Record<string, unknown>;
  return String(o['process'] ?? o['device'] ?? o['at'] ?? (typeof o['block'] === 'number' ? `block at 0x${o['block'].toString(16)}` : ''));
}

async function finish(guest: Guest): Promise<void> {
  guest.log.fresh();
  const lines = guest.log.lines;
  const notable = lines.filter((line) => findingsIn(line).length > 0).slice(0, 60);
  guest.channel.send({ type: 'done', log: countFindings(lines), lines: notable });
  // The host ends the machine; nothing here may touch memory that could crash it first.
  await sleep(60_000);
}

await main();
