/**
 * The kernel log: a ring of interned lines in the heap (kernel/printk/printk.c). Every record has a level (0 emerg to
 * 7 debug) and the tenth of a second of its making. A kernel with `quietLog` keeps none: a log makes every order of two
 * harmless messages a state of its own.
 */
import type { Kernel } from './kernel.ts';

export const KERN_ALERT = 1;
export const KERN_CRIT = 2;
export const KERN_ERR = 3;
export const KERN_WARNING = 4;
export const KERN_NOTICE = 5;
export const KERN_INFO = 6;
export const KERN_DEBUG = 7;

const RECORDS = 4096;
const WORDS = 2;

export interface LogRecord {
  readonly sequence: number;
  readonly level: number;
  /** Seconds since boot. */
  readonly seconds: number;
  readonly text: string;
}

export class KernelLogRing {
  private readonly k: Kernel;
  private readonly next: number;
  private readonly ring: number;
  readonly quiet: boolean;

  constructor(k: Kernel, quiet: boolean) {
    this.k = k;
    this.quiet = quiet;
    this.next = k.heap.reserve(1);
    this.ring = quiet ? 0 : k.heap.reserve(RECORDS * WORDS);
  }

  /** Sequence number that the next line will have. */
  get mark(): number {
    return this.k.heap.load(this.next);
  }

  write(level: number, text: string): void {
    if (this.quiet) return;
    const { heap } = this.k;
    const sequence = heap.load(this.next);
    const record = this.ring + (sequence % RECORDS) * WORDS;
    heap.store(record, (this.k.names.of(text) << 3) | level);
    heap.store(record + 1, heap.load(this.k.clock));
    heap.store(this.next, sequence + 1);
  }

  /** Lines with a sequence number of at least `from` that the ring still holds, oldest first. */
  since(from = 0): LogRecord[] {
    const { heap } = this.k;
    const end = this.quiet ? 0 : heap.load(this.next);
    const lines: LogRecord[] = [];
    for (let sequence = Math.max(from, end - RECORDS, 0); sequence < end; sequence += 1) {
      const record = this.ring + (sequence % RECORDS) * WORDS;
      const word = heap.load(record);
      lines.push({ sequence, level: word & 7, seconds: heap.load(record + 1) / 10, text: this.k.names.text(word >>> 3) });
    }
    return lines;
  }

  /** True when some line since `from` contains `text`. */
  has(text: string, from = 0): boolean {
    return this.since(from).some((line) => line.text.includes(text));
  }
}

export const printk = (k: Kernel, level: number, text: string): void => k.log.write(level, text);
/** dev_err and its kin: `driver device: text`. */
export const devPrintk = (k: Kernel, level: number, driver: string, device: string, text: string): void => k.log.write(level, `${driver} ${device}: ${text}`);

/** `0x` and 16 digits, as %#018llx prints a resource bound in messages. */
export const hex16 = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
export const hex = (value: number): string => `0x${value.toString(16)}`;
