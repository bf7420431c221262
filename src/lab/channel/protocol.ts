/** What host and guest say to each other over the virtio-serial port: one JSON document a line, in both directions. Pure. */
import type { Observation } from '../../scenario/observation.ts';
import type { Scenario } from '../../scenario/scenario.ts';

/** Hardware and host-side actions that a guest cannot do by itself. */
export type HostAction =
  | { readonly kind: 'plug'; readonly device: string }
  | { readonly kind: 'pull'; readonly device: string }
  | { readonly kind: 'resize'; readonly device: string; readonly bytes: number }
  /** Hot-plug events of a device since the last time they were asked for; `size` of a virtio-mem device. */
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
  /** After a run: whether another scenario may follow in this guest. */
  | { readonly type: 'again'; readonly clean: boolean };

export type FromHost =
  | { readonly type: 'run'; readonly scenario: Scenario; readonly upTo: 'end' | 'setup' | 'capture'; /** Ask unseat for its plan before the first removal. */ readonly plan: boolean }
  | { readonly type: 'answer'; readonly id: number; readonly ok: boolean; readonly error?: string; readonly value?: unknown };

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
