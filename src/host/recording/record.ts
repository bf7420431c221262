/** What the recording proxy writes down about a call. Plain data, short enough to print. */
import { isMissing } from '../fact.ts';

export interface RecordedCall {
  /** Counted from 0 over all facets. */
  readonly index: number;
  /** `files`, `processes`, `mounts`, `log`, `time`, `actions`, `actions.store`, `trace`, `host`. */
  readonly facet: string;
  readonly method: string;
  /** The arguments; byte arrays and sets as a word about them. */
  readonly args: readonly unknown[];
  /** What came of it; `pending` until an asynchronous call settles. */
  answer: string;
}

/** `actions.write("/sys/...", "namespace0.0", 5000)`. */
export const callText = (call: RecordedCall): string => `${call.facet}.${call.method}(${call.args.map((arg) => JSON.stringify(arg)).join(', ')})`;

const LONG = 80;
const short = (text: string): string => (text.length > LONG ? `${text.slice(0, LONG)}... (${text.length})` : text);

export function summaryOf(value: unknown): string {
  if (value === undefined) return 'done';
  if (typeof value === 'string') return short(JSON.stringify(value));
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `${value.length} items`;
  if (isMissing(value)) return `missing: ${value.missing}${value.detail === undefined ? '' : ` (${value.detail})`}`;
  return short(JSON.stringify(value) ?? String(value));
}

/** Arguments as plain data: callers reuse their buffers, and sets do not print. */
export function plainArgument(value: unknown): unknown {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (value instanceof Set) return [...value].sort();
  if (Array.isArray(value)) return value.map(plainArgument);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainArgument(item)]));
  return value;
}
