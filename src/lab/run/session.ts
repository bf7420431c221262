/** A booted guest that runs cells one after another for as long as none of them damages it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observation } from '../../scenario/observation.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { FromGuest } from '../channel/protocol.ts';
import type { LabKernel } from '../kernels.ts';
import { countsPoison, wantedModules } from '../modules/wanted.ts';
import { prepare, RunningGuest, type Prepared } from './boot.ts';

/** What one cell heard from its guest. */
export interface Heard {
  readonly observations: Observation[];
  /** Seconds until the machine was in the state that the scenario begins with. */
  readySeconds: number | null;
  /** The step that was begun last. */
  step: number | null;
  setupFailed: Extract<FromGuest, { type: 'setup-failed' }> | null;
  done: Extract<FromGuest, { type: 'done' }> | null;
  forecast: Extract<FromGuest, { type: 'forecast' }> | null;
}

/** Scenarios with equal keys can share a boot: same hardware, same modules, same settings. */
export const bootKey = (s: Scenario): string => {
  const { namespaces: _made_inside, ...hardware } = s.machine;
  return JSON.stringify([hardware, wantedModules(s).sort(), countsPoison(s)]);
};

export interface SessionOptions {
  readonly say: (line: string) => void;
  /** Seconds for boot and for each setup. */
  readonly setupSeconds: number;
}

export class Session {
  readonly prepared: Prepared;
  release: string;
  private readonly guest: RunningGuest;
  private readonly key: string;
  private readonly options: SessionOptions;
  private take: (message: FromGuest) => void = () => { /* nothing runs yet */ };
  private ready = false;
  private clean: boolean | null = true;
  /** What QEMU said when it ended; null while it runs. */
  ended: string | null = null;

  private constructor(kernel: LabKernel, scenario: Scenario, prepared: Prepared, guest: RunningGuest, options: SessionOptions) {
    this.prepared = prepared;
    this.guest = guest;
    this.key = bootKey(scenario);
    this.release = kernel.release;
    this.options = options;
    void guest.ended.then((stderr) => { this.ended = stderr; });
  }

  static async boot(kernel: LabKernel, scenario: Scenario, options: SessionOptions): Promise<Session> {
    const prepared = await prepare(kernel, scenario);
    const begun = performance.now();
    let session: Session | null = null;
    const guest = await RunningGuest.start(prepared, scenario, (message) => session?.hear(message, begun));
    session = new Session(kernel, scenario, prepared, guest, options);
    return session;
  }

  /** True where the guest may run this scenario next. Waits for the verdict of the clean-up before. */
  async canRun(scenario: Scenario): Promise<boolean> {
    const until = performance.now() + 60_000;
    while (this.clean === null && this.ended === null && performance.now() < until) await sleep(50);
    return this.clean === true && this.ended === null && this.key === bootKey(scenario);
  }

  async run(scenario: Scenario, plan: boolean): Promise<Heard> {
    const heard: Heard = { observations: [], readySeconds: null, step: null, setupFailed: null, done: null, forecast: null };
    const begun = performance.now();
    let last = begun;
    this.take = (message) => {
      last = performance.now();
      this.note(heard, message, begun);
    };
    while (!this.ready && this.ended === null && performance.now() < begun + this.options.setupSeconds * 1000) await sleep(50);
    this.clean = null;
    if (this.ready) this.guest.send({ type: 'run', scenario, upTo: 'end', plan });
    const overdue = (): boolean => {
      if (heard.readySeconds === null) return performance.now() > begun + this.options.setupSeconds * 1000;
      // The guest has its own deadlines; the host's are longer and catch a guest that is dead as a whole.
      const within = heard.step === null ? 90 : (scenario.steps[heard.step]?.withinSeconds ?? 20);
      return performance.now() - last > (within * 1.5 + 60) * 1000;
    };
    while (!heard.done && this.ended === null && !overdue()) await sleep(50);
    if (!heard.done) this.clean = false;
    return heard;
  }

  console(): string {
    return this.guest.console();
  }

  async stop(): Promise<void> {
    await this.guest.stop();
  }

  private hear(message: FromGuest, begun: number): void {
    if (message.type === 'hello') {
      this.release = message.release;
      this.ready = true;
      this.options.say(`the agent runs after ${((performance.now() - begun) / 1000).toFixed(1)} s (${message.seconds.toFixed(1)} s of guest time)`);
    } else if (message.type === 'again') this.clean = message.clean;
    else this.take(message);
  }

  private note(heard: Heard, message: FromGuest, begun: number): void {
    if (message.type === 'ready') {
      heard.readySeconds = (performance.now() - begun) / 1000;
      this.options.say(`ready after ${heard.readySeconds.toFixed(1)} s`);
    } else if (message.type === 'begin') heard.step = message.step;
    else if (message.type === 'forecast') heard.forecast = message;
    else if (message.type === 'setup-failed') heard.setupFailed = message;
    else if (message.type === 'done') heard.done = message;
    else if (message.type === 'observation') {
      const o = message.observation;
      heard.observations.push(o);
      this.options.say(`${o.verb} ${o.subject}: ${o.ending}${o.errno === undefined ? '' : ` (${o.errno})`}`);
    }
  }
}
