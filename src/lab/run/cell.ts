/** One cell of the matrix: one scenario on one kernel. A hang or a crash of the guest is a result, never a failure of the lab. */
import { setTimeout as sleep } from 'node:timers/promises';
import { effectsOf } from '../../scenario/effects-of.ts';
import type { Effect } from '../../scenario/effect.ts';
import { inKernelRange } from '../../scenario/kernel-range.ts';
import type { Observation } from '../../scenario/observation.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { verdict, type Disagreement } from '../../scenario/verdict.ts';
import type { FromGuest } from '../channel/protocol.ts';
import type { LabKernel } from '../kernels.ts';
import { countFindings, firstTrace } from '../log-findings.ts';
import { prepare, RunningGuest, type Prepared } from './boot.ts';

export type CellStatus =
  /** Ran, and nothing that was expected was missed. */
  | 'agrees'
  | 'disagrees'
  /** The scenario says of itself that it cannot run on this kernel. */
  | 'not-applicable'
  /** The guest could not be brought into the state that the scenario begins with. */
  | 'not-available'
  /** The guest did not boot or the lab failed. */
  | 'lab-failed';

export interface Cell {
  readonly scenario: string;
  readonly kernel: string;
  readonly release: string;
  readonly version: string;
  readonly qemu: string;
  readonly status: CellStatus;
  readonly effects: readonly Effect[];
  readonly observations: readonly Observation[];
  readonly disagreements: readonly Disagreement[];
  readonly reason?: string;
  /** Seconds from the start of QEMU to the ready machine, and in all. */
  readonly bootSeconds: number | null;
  readonly seconds: number;
  /** What `unseat plan` forecast in the guest for the first removal; absent where it was not asked. */
  readonly forecast?: { readonly device: string; readonly event: 'unbind' | 'pull'; readonly effects: readonly string[]; readonly error?: string };
  /** Findings of the kernel log over the whole run. */
  readonly log: Readonly<Record<string, number>>;
  readonly logLines: readonly string[];
  /** The last lines of the console, kept as evidence where the guest died. */
  readonly consoleTail?: string;
}

export interface CellOptions {
  readonly say: (line: string) => void;
  /** Seconds for boot and setup. */
  readonly setupSeconds?: number;
  readonly keepConsole?: boolean;
  /** Also ask unseat, in the guest, for its plan before the first removal. */
  readonly plan?: boolean;
}

interface Progress {
  readonly observations: Observation[];
  release: string;
  bootSeconds: number | null;
  step: number | null;
  stepSince: number;
  setupFailed: Extract<FromGuest, { type: 'setup-failed' }> | null;
  done: Extract<FromGuest, { type: 'done' }> | null;
  forecast: Extract<FromGuest, { type: 'forecast' }> | null;
}

/** A guest that does not get ready is booted once more: on a busy machine a boot can fail for reasons of its own. */
export async function runCell(kernel: LabKernel, scenario: Scenario, options: CellOptions): Promise<Cell> {
  const first = await runOnce(kernel, scenario, options);
  if (first.status !== 'lab-failed') return first;
  options.say(`${first.reason?.split('\n')[0] ?? 'no boot'}; booting once more`);
  return runOnce(kernel, scenario, options);
}

async function runOnce(kernel: LabKernel, scenario: Scenario, options: CellOptions): Promise<Cell> {
  const base = { scenario: scenario.scenario, kernel: kernel.name, release: kernel.release, version: kernel.version, qemu: '' };
  const nothing = { effects: [], observations: [], disagreements: [], bootSeconds: null, seconds: 0, log: {}, logLines: [] };
  if (!inKernelRange(scenario.kernels, kernel.series)) return { ...base, ...nothing, status: 'not-applicable', reason: `the scenario is for kernels ${scenario.kernels}` };
  const prepared = await prepare(kernel, scenario);
  const begun = performance.now();
  const p: Progress = { observations: [], release: kernel.release, bootSeconds: null, step: null, stepSince: begun, setupFailed: null, done: null, forecast: null };
  const guest: RunningGuest = await RunningGuest.start(prepared, scenario, (message) => take(p, message, () => guest.send({ type: 'run', scenario, upTo: 'end', plan: options.plan === true }), begun, options));
  let qemuEnded: string | null = null;
  void guest.ended.then((stderr) => { qemuEnded = stderr; });
  const limits = { setup: begun + (options.setupSeconds ?? 400) * 1000 };
  while (!p.done && qemuEnded === null && !overdue(p, scenario, limits.setup)) await sleep(100);
  const console_ = guest.console();
  await guest.stop();
  const seconds = (performance.now() - begun) / 1000;
  return judge({ ...base, release: p.release, qemu: prepared.qemuVersion }, scenario, kernel, p, prepared, { seconds, console: console_, qemuEnded });
}

function take(p: Progress, message: FromGuest, run: () => void, begun: number, options: CellOptions): void {
  if (message.type === 'hello') {
    p.release = message.release;
    options.say(`the agent runs after ${((performance.now() - begun) / 1000).toFixed(1)} s (${message.seconds.toFixed(1)} s of guest time)`);
    run();
  } else if (message.type === 'ready') {
    p.bootSeconds = (performance.now() - begun) / 1000;
    p.stepSince = performance.now();
    options.say(`ready after ${p.bootSeconds.toFixed(1)} s`);
  } else if (message.type === 'begin') {
    p.step = message.step;
    p.stepSince = performance.now();
  } else if (message.type === 'observation') {
    p.observations.push(message.observation);
    p.stepSince = performance.now();
    options.say(`${message.observation.verb} ${message.observation.subject}: ${message.observation.ending}${message.observation.errno === undefined ? '' : ` (${message.observation.errno})`}`);
  } else if (message.type === 'forecast') {
    p.forecast = message;
    p.stepSince = performance.now();
  } else if (message.type === 'setup-failed') p.setupFailed = message;
  else if (message.type === 'done') p.done = message;
}

/** The guest has its own deadlines; the host's are longer and catch a guest that is dead as a whole. */
function overdue(p: Progress, scenario: Scenario, setupUntil: number): boolean {
  if (p.bootSeconds === null) return performance.now() > setupUntil;
  const step = p.step === null ? undefined : scenario.steps[p.step];
  return performance.now() - p.stepSince > ((step?.withinSeconds ?? 20) * 1.5 + 60) * 1000;
}

function judge(base: Pick<Cell, 'scenario' | 'kernel' | 'release' | 'version' | 'qemu'>, scenario: Scenario, kernel: LabKernel, p: Progress, prepared: Prepared,
  end: { readonly seconds: number; readonly console: string; readonly qemuEnded: string | null }): Cell {
  const lines = end.console.split('\n').map((line) => line.replace(/^\[\s*\d+\.\d+\]\s*/, '').trimEnd());
  const f = p.forecast;
  const forecast = f?.effects ? { forecast: { device: f.device, event: f.event, effects: f.effects, ...(f.error === undefined ? {} : { error: f.error }) } } : {};
  const whole = { ...base, bootSeconds: p.bootSeconds, seconds: end.seconds, ...forecast };
  if (p.bootSeconds === null) {
    const reason = p.setupFailed?.reason ?? (end.qemuEnded !== null ? `the guest ended before it was ready: ${end.qemuEnded.trim() || lines.find((line) => line.includes('Kernel panic')) || 'see the console'}` : 'the guest did not get ready in its time');
    const missing = prepared.missingModules.length > 0 ? ` (modules not in this kernel: ${prepared.missingModules.join(', ')})` : '';
    return { ...whole, status: p.setupFailed ? 'not-available' : 'lab-failed', reason: reason + missing, effects: [], observations: [], disagreements: [],
      log: countFindings(lines), logLines: [], consoleTail: lines.slice(-40).join('\n') };
  }
  if (!p.done && p.step !== null && !p.observations.some((o) => o.step === p.step)) p.observations.push(lastStep(scenario, p.step, lines));
  const disagreements = verdict(scenario, kernel.series, p.observations);
  return { ...whole, status: disagreements.length === 0 ? 'agrees' : 'disagrees', effects: effectsOf(scenario, p.observations), observations: p.observations, disagreements,
    log: p.done?.log ?? countFindings(lines), logLines: p.done?.lines ?? [], ...(p.done ? {} : { consoleTail: lines.slice(-60).join('\n') }) };
}

/** A step after which nothing was heard any more: the whole guest is stuck or dead. The console tells which. */
function lastStep(scenario: Scenario, index: number, lines: readonly string[]): Observation {
  const step = scenario.steps[index];
  const log = countFindings(lines);
  const ending = (log.oops ?? 0) > 0 ? 'oops' : (log['rcu-stall'] ?? 0) + (log['soft-lockup'] ?? 0) > 0 ? 'spins' : 'hangs';
  const trace = firstTrace(lines);
  return { step: index, verb: step?.verb ?? 'wait', label: step?.label ?? null, subject: 'the whole guest', ending, milliseconds: 0, log, ...(trace === undefined ? {} : { detail: trace }) };
}
