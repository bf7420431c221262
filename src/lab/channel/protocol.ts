/** What host and guest say to each other over the virtio-serial port: one JSON document a line, in both directions. Pure. */
import type { Observation } from '../../scenario/observation.ts';
import type { Scenario } from '../../scenario/scenario.ts';

/** Hardware and host-side actions that a guest cannot do by itself. */
export type HostAction =
  | { readonly kind: 'plug'; readonly device: string }
  | { readonly kind: 'pull'; readonly device: string }
  | { readonly kind: 'resize'; readonly device: string; readonly bytes: number }
  /** Bytes of a virtio-mem card that are plugged. */
  | { readonly kind: 'size'; readonly device: string }
  /** Hot-plug events of a device since the last time they were asked for. */
  | { readonly kind: 'events'; readonly device: string };

export type FromGuest =
  | { readonly type: 'hello'; readonly release: string; readonly seconds: number }
  | { readonly type: 'ready'; readonly facts: Readonly<Record<string, unknown>> }
  /** The guest could not be brought into the state that the scenario begins with. */
  | { readonly type: 'setup-failed'; readonly reason: string; readonly notAvailable: boolean }
  /** What `unseat plan` said in the guest, before the removal. */
  | { readonly type: 'forecast'; readonly device: string; readonly event: 'unbind' | 'pull'; readonly effects: readonly string[] | null; readonly error?: string }
  | { readonly type: 'begin'; readonly step: number }
  | { readonly type: 'observation'; readonly observation: Observation }
  | { readonly type: 'ask'; readonly id: number; readonly action: HostAction }
  | { readonly type: 'file'; readonly name: string; readonly base64: string; readonly last: boolean }
  /** `log`: findings of the whole run by kind; `tail`: lines of them, for people. */
  | { readonly type: 'done'; readonly log: Readonly<Record<string, number>>; readonly lines: readonly string[] }
  /** One removal of a race, or one interrupted removal. */
  | { readonly type: 'round'; readonly round: RaceRound | KillRound | PauseRound }
  | { readonly type: 'race-ended'; readonly reason: string | null; readonly log: Readonly<Record<string, number>>; readonly lines: readonly string[] }
  /** After a run: whether another scenario may follow in this guest. */
  | { readonly type: 'again'; readonly clean: boolean };

export type FromHost =
  | { readonly type: 'run'; readonly scenario: Scenario; readonly upTo: 'end' | 'setup' | 'capture'; /** Ask unseat for its plan before the first removal. */ readonly plan: boolean }
  | { readonly type: 'race'; readonly scenario: Scenario; readonly what: 'churn' | 'kill' | 'pause'; readonly rounds: number; readonly seed: number; /** Begin no round after so many seconds. */ readonly seconds: number }
  | { readonly type: 'answer'; readonly id: number; readonly ok: boolean; readonly error?: string; readonly value?: unknown };

/** A removal by detach against holders that fault and map again without end, and one that opens at a random moment. Pages are of 4 KiB. */
export interface RaceRound {
  readonly n: number;
  readonly status: string;
  readonly why: string | null;
  readonly milliseconds: number;
  /** Pages that a process still reached after the device was gone. */
  readonly stale: number;
  /** Of the holder that only faults: pages that gave SIGBUS, of all. */
  readonly sigbus: number;
  readonly pages: number;
  /** How often the other one mapped and unmapped until it was let go. */
  readonly churned: number;
  /** Microseconds after the start of the removal at which the third opens; whether it got the file, in time or never. */
  readonly opensAt: number;
  readonly opened: boolean;
  /** Whether the bytes of the file were those written, after the rebind, read by a new process. */
  readonly intact: boolean | null;
  /** Pages that the old holder reached after the rebind and the new mount. */
  readonly exposed: number;
}

/** A removal whose processes are killed with SIGKILL at a random moment, and what was done about it. */
export interface KillRound {
  readonly n: number;
  readonly killed: 'unseat' | 'child' | 'both';
  /** Milliseconds after the start of the removal. */
  readonly at: number;
  /** False where the removal had already ended. */
  readonly inTime: boolean;
  /** Names of holders that were stopped half a second later, or dead. */
  readonly harmed: readonly string[];
  readonly mended: 'resume' | 'rollback' | 'none needed' | 'by itself';
  readonly mendedStatus: number | null;
  readonly state: 'removed' | 'as before' | 'other';
  readonly stale: number;
  readonly intact: boolean | null;
  readonly says: string;
}

/** What one removal cost, by the clock of the guest. */
export interface PauseRound {
  readonly n: number;
  /** `unbind`: the kernel's own way, a bare write; the others through unseat's engine, `force` by memory_failure(). */
  readonly way: 'unbind' | 'detach' | 'force';
  readonly entries: '4 KiB' | '2 MiB';
  /** Bytes mapped in all, and in how many files. */
  readonly bytes: number;
  readonly files: number;
  /** Milliseconds: of the write, or of the whole removal with its plan. */
  readonly total: number;
  /** Milliseconds from the first stop of a holder to its going on; null for the bare unbind, which stops nobody. */
  readonly pause: number | null;
  /** Of `pause`: what it takes to let go of the mappings. */
  readonly lettingGo: number | null;
  /** Pages that were still reached afterwards. */
  readonly stale: number;
}

export const encode = (message: FromGuest | FromHost): string => `${JSON.stringify(message)}\n`;

/** Cuts a stream into lines and parses each. Lines that are no JSON object with a `type` are handed to `odd`. */
export class LineReader<T extends { readonly type: string }> {
  private rest = '';
  private readonly take: (message: T) => void;
  private readonly odd: (line: string) => void;

  constructor(take: (message: T) => void, odd: (line: string) => void = () => { /* noise on the line is not a message */ }) {
    this.take = take;
    this.odd = odd;
  }

  push(chunk: string): void {
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.line(line);
  }

  private line(line: string): void {
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch {
      return this.odd(line);
    }
    if (typeof parsed === 'object' && parsed !== null && typeof (parsed as { type?: unknown }).type === 'string') this.take(parsed as T);
    else this.odd(line);
  }
}
