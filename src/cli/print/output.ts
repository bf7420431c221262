/**
 * The one module that prints. Results go to stdout, progress and notes to stderr; colour only on a terminal without
 * NO_COLOR; JSON is one document, raw bytes, nothing else on stdout.
 */
import { UnseatError } from '../../errors/unseat-error.ts';

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

  /** A reader that goes away (`| head`) ends the printing and nothing else: a removal under way goes on to its end. */
  static forProcess(json: boolean): Output {
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.listenerCount('error') === 0) stream.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error; });
    }
    const tty = process.stdout.isTTY === true;
    return new Output({
      json,
      color: !noColor() && (tty || forcedColor()),
      width: tty ? (process.stdout.columns ?? 100) : Number(process.env['COLUMNS']) || 100,
      progress: process.stderr.isTTY === true,
    });
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
    this.sink.err(`\r\u001b[K${line}`);
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
  const lines = [`${style('red', 'unseat:')} ${subject === undefined ? '' : `${subject}: `}${error.message} [${error.code}]`];
  if (cause !== undefined) lines.push(`  cause: ${cause}`);
  if (seen !== undefined) lines.push(`  seen:  ${seen}`);
  if (definite === false) lines.push('  The outcome is not certain: read the state again before going on.');
  if (next !== undefined) lines.push(`  next:  ${next}`);
  return `${lines.join('\n')}\n`;
}

function asInternal(error: unknown): UnseatError {
  const e = error instanceof Error ? error : new Error(String(error));
  return new UnseatError('INTERNAL', e.message, {
    cause: (e.stack ?? '').split('\n').slice(1, 4).map((line) => line.trim()).join('; '),
    next: 'This is a defect in unseat. Please report it with the command line and this text.',
  });
}
