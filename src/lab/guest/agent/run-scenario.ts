/** Brings the machine into a scenario's state, takes its steps, and reports each. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observation } from '../../../scenario/observation.ts';
import type { ProcessSpec } from '../../../scenario/process.ts';
import type { Step } from '../../../scenario/step.ts';
import { subjectOf } from '../../../scenario/subject-of.ts';
import type { FromHost } from '../../channel/protocol.ts';
import { countFindings, findingsIn, firstTrace } from '../../log-findings.ts';
import { sendCapture } from './capture.ts';
import { cleanUp, type Left } from './clean-up.ts';
import { sendForecast } from './forecast.ts';
import { NotAvailable, type Guest } from './machine.ts';
import { makeFilesystems, makeSwaps } from './setup/filesystems.ts';
import { setUpHardware } from './setup/hardware.ts';
import { findRegions, makeNamespaces } from './setup/namespaces.ts';
import { startProcesses } from './setup/processes.ts';
import { useAsRam } from './setup/system-ram.ts';
import type { Seen } from './steps/outcome.ts';
import { takeStep } from './steps/take.ts';

export const uptime = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);

export async function runScenario(guest: Guest, { upTo, plan }: Extract<FromHost, { type: 'run' }>): Promise<void> {
  const from = guest.log.lines.length;
  let left: Left = 'damage';
  try {
    await setUp(guest);
    guest.channel.send({ type: 'ready', facts: { seconds: uptime(), devices: [...guest.devices.values()], pids: Object.fromEntries([...guest.holders].map(([name, h]) => [name, h.pid])) } });
    if (plan) await sendForecast(guest);
    if (upTo === 'capture') await sendCapture(guest);
    left = upTo === 'end' ? await takeAll(guest) : 'nothing';
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    guest.channel.send({ type: 'setup-failed', reason: `${detail}\n${guest.log.fresh().slice(-15).join('\n')}`, notAvailable: error instanceof NotAvailable });
  }
  guest.log.fresh();
  const lines = guest.log.lines.slice(from);
  guest.channel.send({ type: 'done', log: countFindings(lines), lines: lines.filter((line) => findingsIn(line).length > 0).slice(0, 60) });
  // The result is out: only now is touched what may crash the machine.
  guest.channel.send({ type: 'again', clean: await cleanUp(guest, left) });
}

export async function setUp(guest: Guest): Promise<void> {
  await setUpHardware(guest);
  await findRegions(guest);
  await makeNamespaces(guest);
  await useAsRam(guest);
  await makeFilesystems(guest);
  await makeSwaps(guest);
  await startProcesses(guest);
}

async function takeAll(guest: Guest): Promise<Left> {
  // Pages that are pinned beyond their memmap are put later, or were: nobody knows into what.
  let left: Left = guest.scenario.processes.some(pinsDevice) ? 'damage' : 'nothing';
  for (const [index, step] of guest.scenario.steps.entries()) {
    const seen = await observe(guest, step, index);
    const stale = seen.verb === 'read' && (seen.pages ?? []).some((p) => p.own > 0 || Object.keys(p.others).length > 0) && heldBefore(guest.scenario.steps.slice(0, index), seen.subject ?? '');
    // Whoever waits to take memory offline is killed at the deadline, and the block is as it was.
    if (['hangs', 'spins', 'oops'].includes(seen.ending) && (seen.verb !== 'offline' || seen.ending === 'oops')) left = 'damage';
    else if (stale && left === 'nothing') left = 'stale';
  }
  return left;
}

/** Memory of nobody's device is put by whoever drops it. */
const pinsDevice = ({ pins, maps }: ProcessSpec): boolean => pins.some((pin) => maps.some((m) => m.name === pin.map && !('anonymous' in m)));

/** Whether a device was unbound since the process was started: who came later maps what is there. */
const heldBefore = (steps: readonly Step[], name: string): boolean => {
  const started = steps.findLastIndex((s) => s.verb === 'start' && s.argument === name);
  return steps.findLastIndex((s) => s.verb === 'unbind') > started;
};

async function observe(guest: Guest, step: Step, index: number): Promise<Observation> {
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
  await sleep(80);
  const oops = crashed();
  const trace = firstTrace(lines);
  const detail = [seen.detail, trace].filter((text) => text !== undefined && text !== '').join('\n');
  const observation: Observation = {
    ...seen, step: index, verb: step.verb, label: step.label, subject: seen.subject ?? subjectOf(step), milliseconds,
    ending: oops && seen.ending !== 'not-available' ? 'oops' : seen.ending, log: countFindings(lines), ...saidOf(step, lines), ...(detail === '' ? {} : { detail }),
  };
  guest.channel.send({ type: 'observation', observation });
  return observation;
}

const saidOf = ({ watch }: Step, lines: readonly string[]): { said?: string[] } => (watch.length === 0 ? {} : { said: watch.filter((text) => lines.some((line) => line.includes(text))) });
