/** One cell of the matrix: one scenario on one kernel. A hang or a crash of the guest is a result, never a failure of the lab. */
import { effectsOf } from '../../scenario/effects-of.ts';
import type { Effect } from '../../scenario/effect.ts';
import { inKernelRange, parseRelease } from '../../scenario/kernel-range.ts';
import type { Observation } from '../../scenario/observation.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { verdict, type Disagreement } from '../../scenario/verdict.ts';
import type { LabKernel } from '../kernels.ts';
import { countFindings, firstTrace } from '../log-findings.ts';
import { Session, type Heard } from './session.ts';

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

/** Runs a cell in a guest of its own. One that does not get ready is booted once more: on a busy machine a boot can fail for reasons of its own. */
export async function runCell(kernel: LabKernel, scenario: Scenario, options: CellOptions): Promise<Cell> {
  const guests = new Guests(kernel, options);
  try {
    return await guests.run(scenario);
  } finally {
    await guests.close();
  }
}

/** Guests of one kernel: a cell takes the one that runs where it can, and a new one where it must. */
export class Guests {
  private session: Session | null = null;
  private readonly kernel: LabKernel;
  private readonly options: CellOptions;

  constructor(kernel: LabKernel, options: CellOptions) {
    this.kernel = kernel;
    this.options = options;
  }

  async run(scenario: Scenario): Promise<Cell> {
    if (!inKernelRange(scenario.kernels, this.kernel.series)) {
      return { ...cellBase(this.kernel, scenario, this.kernel.release, ''), effects: [], observations: [], disagreements: [], bootSeconds: null, seconds: 0, log: {}, logLines: [],
        status: 'not-applicable', reason: `the scenario is for kernels ${scenario.kernels}` };
    }
    const first = await this.once(scenario);
    if (first.status !== 'lab-failed') return first;
    this.options.say(`${first.reason?.split('\n')[0] ?? 'no boot'}; booting once more`);
    return this.once(scenario);
  }

  async close(): Promise<void> {
    await this.session?.stop();
    this.session = null;
  }

  private async once(scenario: Scenario): Promise<Cell> {
    const begun = performance.now();
    if (this.session && !(await this.session.canRun(scenario))) await this.close();
    this.session ??= await Session.boot(this.kernel, scenario, { say: this.options.say, setupSeconds: this.options.setupSeconds ?? 400 });
    const session = this.session;
    const heard = await session.run(scenario, this.options.plan === true);
    const cell = judge(this.kernel, scenario, session, heard, (performance.now() - begun) / 1000);
    if (!heard.done || heard.setupFailed) await this.close();
    return cell;
  }
}

/** A stored cell as its scenario is now: what was seen stays, what is expected may have changed. Null where it says nothing about this text any more. */
export function judgedAgain(cell: Cell, scenario: Scenario): Cell | null {
  const series = parseRelease(cell.release);
  if (series === null || cell.status === 'lab-failed') return null;
  const applies = inKernelRange(scenario.kernels, series);
  if (!applies || cell.status === 'not-applicable') return !applies && cell.status === 'not-applicable' ? cell : null;
  if (cell.status === 'not-available') return cell;
  const disagreements = verdict(scenario, series, cell.observations);
  return { ...cell, disagreements, effects: effectsOf(scenario, cell.observations), status: disagreements.length === 0 ? 'agrees' : 'disagrees' };
}

const cellBase = (kernel: LabKernel, scenario: Scenario, release: string, qemu: string) =>
  ({ scenario: scenario.scenario, kernel: kernel.name, release, version: kernel.version, qemu });

function judge(kernel: LabKernel, scenario: Scenario, session: Session, heard: Heard, seconds: number): Cell {
  const lines = session.console().split('\n').map((line) => line.replace(/^\[\s*\d+\.\d+\]\s*/, '').trimEnd());
  const f = heard.forecast;
  const forecast = f?.effects ? { forecast: { device: f.device, event: f.event, effects: f.effects, ...(f.error === undefined ? {} : { error: f.error }) } } : {};
  const whole = { ...cellBase(kernel, scenario, session.release, session.prepared.qemuVersion), bootSeconds: heard.readySeconds, seconds, ...forecast };
  if (heard.readySeconds === null) {
    const missing = session.prepared.missingModules.length > 0 ? ` (modules not in this kernel: ${session.prepared.missingModules.join(', ')})` : '';
    return { ...whole, status: heard.setupFailed ? 'not-available' : 'lab-failed', reason: (heard.setupFailed?.reason ?? noBoot(session, lines)) + missing, effects: [], observations: [], disagreements: [],
      log: countFindings(lines), logLines: [], consoleTail: lines.slice(-40).join('\n') };
  }
  const { observations } = heard;
  if (!heard.done && heard.step !== null && !observations.some((o) => o.step === heard.step)) observations.push(lastStep(scenario, heard.step, lines));
  const disagreements = verdict(scenario, kernel.series, observations);
  return { ...whole, status: disagreements.length === 0 ? 'agrees' : 'disagrees', effects: effectsOf(scenario, observations), observations, disagreements,
    log: heard.done?.log ?? countFindings(lines), logLines: heard.done?.lines ?? [], ...(heard.done ? {} : { consoleTail: lines.slice(-60).join('\n') }) };
}

const noBoot = (session: Session, lines: readonly string[]): string => (session.ended === null ? 'the guest did not get ready in its time'
  : `the guest ended before it was ready: ${session.ended.trim() || lines.find((line) => line.includes('Kernel panic')) || 'see the console'}`);

/** A step after which nothing was heard any more: the whole guest is stuck or dead. The console tells which. */
function lastStep(scenario: Scenario, index: number, lines: readonly string[]): Observation {
  const step = scenario.steps[index];
  const log = countFindings(lines);
  const ending = (log.oops ?? 0) > 0 ? 'oops' : (log['rcu-stall'] ?? 0) + (log['soft-lockup'] ?? 0) > 0 ? 'spins' : 'hangs';
  const trace = firstTrace(lines);
  return { step: index, verb: step?.verb ?? 'wait', label: step?.label ?? null, subject: 'the whole guest', ending, milliseconds: 0, log, ...(trace === undefined ? {} : { detail: trace }) };
}
