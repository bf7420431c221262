/**
 * The one module that prints. Results go to stdout, progress and notes to stderr; colour only on a terminal without
 * NO_COLOR; JSON is one document, raw bytes, nothing else on stdout.
 */
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { plainWriter } from '../../host/live/standard-streams.ts';
import { harmless } from './table.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly color: boolean;
  /** Columns of the terminal; 100 where stdout is none. */
  readonly width: number;
  readonly progress: boolean;
}

/** Where texts go: the streams of the process, or something that stands for them. */
export interface Sink {
  out(text: string): void;
  err(text: string): void;
}

const STREAMS: Sink = { out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text) };

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

const SGR: Record<Style, readonly [number, number]> = {
  bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39],
};

const noColor = (): boolean => (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
const forcedColor = (): boolean => (process.env['FORCE_COLOR'] ?? '') !== '' && process.env['FORCE_COLOR'] !== '0';

export class Output {
  readonly options: OutputOptions;
  private readonly sink: Sink;
  private progressShown = false;

  constructor(options: OutputOptions, sink: Sink = STREAMS) {
    this.options = options;
    this.sink = sink;
  }

  /** Into a pipe or a file, without the streams of the process. */
  static plain(json: boolean, sink: Sink): Output {
    return new Output({ json, color: forcedColor() && !noColor(), width: Number(process.env['COLUMNS']) || 100, progress: false }, sink);
  }

  /**
   * A reader that goes away (`| head`), a full disk or a terminal that hangs up ends the printing and nothing else: a removal under
   * way goes on to its end. Where it was no reader's wish, the exit status tells.
   */
  static forProcess(json: boolean): Output {
    for (const stream of [process.stdout, process.stderr]) if (stream.listenerCount('error') === 0) stream.on('error', (error: NodeJS.ErrnoException) => unwritten(error.code));
    const tty = process.stdout.isTTY === true;
    return new Output({
      json,
      color: !noColor() && (tty || forcedColor()),
      width: tty ? (process.stdout.columns ?? 100) : Number(process.env['COLUMNS']) || 100,
      progress: process.stderr.isTTY === true,
    }, { out: plainWriter(1, unwritten) ?? STREAMS.out, err: plainWriter(2, unwritten) ?? STREAMS.err });
  }

  style(style: Style, text: string): string {
    if (!this.options.color) return text;
    const [on, off] = SGR[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }

  /** A result for people. Ends with exactly one newline. */
  text(text: string): void {
    this.clearProgress();
    this.sink.out(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** The result for programs. */
  json(value: unknown): void {
    this.clearProgress();
    this.sink.out(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One line on stderr that is not part of the result. */
  note(line: string): void {
    this.clearProgress();
    this.sink.err(`${line}\n`);
  }

  /** Replaces the progress line on a terminal; silent elsewhere. */
  progress(line: string): void {
    if (!this.options.progress) return;
    // A line that wraps could not be taken away again.
    const cut = Math.max(20, (process.stderr.columns ?? this.options.width) - 1);
    this.sink.err(`\r\u001b[K${line.length > cut ? `${line.slice(0, cut - 1)}…` : line}`);
    this.progressShown = true;
  }

  error(error: unknown): void {
    this.clearProgress();
    const known = error instanceof UnseatError ? error : asInternal(error);
    if (this.options.json) this.sink.out(`${JSON.stringify({ error: known.toJSON() }, null, 2)}\n`);
    this.sink.err(errorText(known, (style, text) => this.style(style, text)));
  }

  private clearProgress(): void {
    if (this.progressShown) this.sink.err('\r\u001b[K');
    this.progressShown = false;
  }
}

/** The text of an error: one line, then cause, value and next step where they are known. */
export function errorText(error: UnseatError, style: (style: Style, text: string) => string = (_, text) => text): string {
  const { cause, subject, seen, next, definite } = error.facts;
  const text = (part: string): string => part.split('\n').map(harmless).join('\n');
  const lines = [`${style('red', 'unseat:')} ${subject === undefined ? '' : `${named(subject)}: `}${text(error.message)} [${error.code}]`];
  if (cause !== undefined) lines.push(`  cause: ${text(cause)}`);
  if (seen !== undefined) lines.push(`  seen:  ${text(seen)}`);
  if (definite === false) lines.push('  The outcome is not certain: read the state again before going on.');
  if (next !== undefined) lines.push(`  next:  ${text(next)}`);
  return `${lines.join('\n')}\n`;
}

/** Characters of a subject that are shown: a name may be of any length. */
const LONGEST = 200;
const named = (subject: string): string => (subject.trim() === '' ? `"${subject}"` : harmless(subject.length > LONGEST ? `${subject.slice(0, LONGEST)}… (${subject.length} characters)` : subject));

/** The result did not arrive whole. */
export function unwritten(errno: string | undefined): void {
  if (errno === 'EPIPE' || told) return;
  told = true;
  process.once('exit', () => { process.exitCode ||= EXIT.failed; });
  process.stderr.write(`unseat: what was to be printed could not be written (${errno ?? 'unknown'})\n`);
}
let told = false;

function asInternal(error: unknown): UnseatError {
  const e = error instanceof Error ? error : new Error(String(error));
  return new UnseatError('INTERNAL', e.message, {
    cause: (e.stack ?? '').split('\n').slice(1, 4).map((line) => line.trim()).join('; '),
    next: 'This is a defect in unseat. Please report it with the command line and this text.',
  });
}
