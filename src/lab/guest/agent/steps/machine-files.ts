/** Files of sysfs and proc, device nodes, page flags, and the system's own tools. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { distinctFlags, withoutNames } from '../../../../scenario/verbs-machine.ts';
import type { StepOf } from '../../../../scenario/step.ts';
import { deviceOf, NotAvailable, type Guest } from '../machine.ts';
import { withKernelNames } from '../names.ts';
import { HELPER, once } from '../once.ts';
import { iomem } from '../sysfs.ts';
import { fromOnce, notAvailable, type Seen } from './outcome.ts';
import { holderOf } from './touch.ts';

const PAGE = 4096;

export function get(guest: Guest, { file, lines }: StepOf<'get'>['argument']): Seen {
  try {
    return { ending: 'returned', value: withoutNames(chosen(readFileSync(withKernelNames(guest, file), 'utf8'), lines), called(guest)) };
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === undefined || error instanceof NotAvailable) throw error;
    return { ending: 'refused', errno };
  }
}

const called = (guest: Guest): (readonly [string, string])[] => [...guest.devices.values()].flatMap((d) => (d.bindName === undefined ? [] : [[d.name, d.bindName] as const]));

const chosen = (text: string, lines: string | undefined): string =>
  (lines === undefined ? text.trim() : text.split('\n').filter((line) => new RegExp(lines).test(line)).map((line) => line.trimEnd()).join('\n'));

export const put = async (guest: Guest, { file, text }: StepOf<'put'>['argument'], ms: number): Promise<Seen> =>
  fromOnce(await once(['write', withKernelNames(guest, file), withKernelNames(guest, text)], ms, HELPER));

export function open(guest: Guest, name: string): Seen {
  const { char, block } = deviceOf(guest, name);
  try {
    closeSync(openSync(char ?? block ?? '', 'r+'));
    return { ending: 'returned' };
  } catch (error) {
    return { ending: 'refused', errno: (error as NodeJS.ErrnoException).code ?? 'EIO' };
  }
}

export async function tool(guest: Guest, words: readonly string[], ms: number): Promise<Seen> {
  const [program = '', ...args] = ofTheGuest(words.map((word) => withKernelNames(guest, word)));
  const { errno: _none, ...seen } = fromOnce(await once(args, ms, program));
  return seen;
}

/** Modules are the guest's own: the host whose root this is may have neither kmod nor modules of this kernel. */
function ofTheGuest(words: readonly string[]): readonly string[] {
  const [program, module = ''] = words;
  if (program === 'rmmod') return ['/run/busybox', 'rmmod', module];
  // What it depends on is still there: rmmod takes out one module.
  return program === 'modprobe' ? ['/run/busybox', 'insmod', `/run/modules/${module}.ko`] : words;
}

/** Asks for what a push of the attention button asks for. */
export async function press(guest: Guest, name: string): Promise<Seen> {
  const asked = await guest.channel.ask({ kind: 'pull', device: name });
  // What the kernel says of the button belongs to this step.
  await sleep(1500);
  return asked.ok ? { ending: 'returned' } : notAvailable(asked.error ?? 'QEMU refused');
}

/** Where the image of the kernel lies: anywhere, with KASLR. */
export function kernelCode(): number {
  const line = iomem().find((one) => one.name === 'Kernel code');
  if (line === undefined) throw new NotAvailable('the kernel does not say where its code lies');
  return line.start;
}

/** Bits of include/uapi/linux/kernel-page-flags.h and fs/proc/page.c that say something of a frame; in their order. */
const BITS: readonly (readonly [bit: bigint, name: string])[] = [
  [0n, 'LOCKED'], [2n, 'REFERENCED'], [3n, 'UPTODATE'], [4n, 'DIRTY'], [5n, 'LRU'], [6n, 'ACTIVE'], [7n, 'SLAB'], [8n, 'WRITEBACK'], [10n, 'BUDDY'], [11n, 'MMAP'], [12n, 'ANON'], [13n, 'SWAPCACHE'],
  [14n, 'SWAPBACKED'], [15n, 'COMPOUND_HEAD'], [16n, 'COMPOUND_TAIL'], [17n, 'HUGE'], [18n, 'UNEVICTABLE'], [19n, 'HWPOISON'], [20n, 'NOPAGE'], [21n, 'KSM'], [22n, 'THP'], [23n, 'OFFLINE'], [26n, 'PGTABLE'],
  [32n, 'RESERVED'], [33n, 'MLOCKED'], [35n, 'PRIVATE'], [37n, 'OWNER_PRIVATE'],
];

const namesOf = (word: bigint): string[] => BITS.filter(([bit]) => ((word >> bit) & 1n) === 1n).map(([, name]) => name);

export function pageFlags(guest: Guest, what: StepOf<'pageFlags'>['argument']): Seen {
  const fd = openSync('/proc/kpageflags', 'r');
  try {
    return { ending: 'returned', flags: distinctFlags('process' in what ? ofProcess(guest, fd, what) : ofRange(fd, what.at / PAGE, what.size / PAGE), what) };
  } finally {
    closeSync(fd);
  }
}

function* ofProcess(guest: Guest, fd: number, { process, map }: { process: string; map?: string | undefined }): Generator<string[]> {
  const holder = holderOf(guest, process);
  const pagemap = openSync(`/proc/${holder.pid}/pagemap`, 'r');
  try {
    for (const held of holder.maps.values()) {
      if (map !== undefined && held.spec.name !== map) continue;
      for (const entry of words(pagemap, held.address / PAGE, held.size / PAGE)) if (entry >> 63n === 1n) yield* ofRange(fd, Number(entry & ((1n << 55n) - 1n)), 1);
    }
  } finally {
    closeSync(pagemap);
  }
}

/** `EOF` stands for frames that the file does not have. */
function* ofRange(fd: number, first: number, count: number): Generator<string[]> {
  let seen = 0;
  for (const word of words(fd, first, count)) {
    seen += 1;
    yield namesOf(word);
  }
  if (seen < count) yield ['EOF'];
}

function* words(fd: number, first: number, count: number): Generator<bigint> {
  const buffer = Buffer.alloc(Math.min(count, 4096) * 8);
  for (let at = 0; at < count;) {
    const got = readSync(fd, buffer, 0, Math.min(count - at, 4096) * 8, (first + at) * 8);
    if (got === 0) return;
    for (let i = 0; i < got; i += 8) yield buffer.readBigUInt64LE(i);
    at += got / 8;
  }
}
