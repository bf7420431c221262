/** An injected call as strace would print it. Numbers of flags: include/uapi/asm-generic/, linux/memfd.h, linux/prctl.h. */
import type { CallArgument, InjectedCall } from '../host/trace.ts';

type Flags = readonly (readonly [number, string])[];

const PROT: Flags = [[1, 'PROT_READ'], [2, 'PROT_WRITE'], [4, 'PROT_EXEC']];
const MAP: Flags = [[1, 'MAP_SHARED'], [2, 'MAP_PRIVATE'], [0x10, 'MAP_FIXED'], [0x20, 'MAP_ANONYMOUS'], [0x8000, 'MAP_POPULATE'], [0x100000, 'MAP_FIXED_NOREPLACE']];
const MREMAP: Flags = [[1, 'MREMAP_MAYMOVE'], [2, 'MREMAP_FIXED']];
const CLOEXEC: Flags = [[0o2000000, 'O_CLOEXEC']];

/** By call, the flags of each argument that has them. */
const FLAGS: Readonly<Record<string, Readonly<Record<number, Flags>>>> = {
  mmap: { 2: PROT, 3: MAP }, mprotect: { 2: PROT }, mremap: { 3: MREMAP }, dup3: { 2: CLOEXEC },
  memfd_create: { 1: [[1, 'MFD_CLOEXEC']] }, socket: { 0: [[1, 'AF_UNIX']], 1: [[1, 'SOCK_STREAM'], [0o2000000, 'SOCK_CLOEXEC']] },
  prctl: { 0: [[35, 'PR_SET_MM']], 1: [[13, 'PR_SET_MM_EXE_FILE']] }, openat: { 0: [[-100, 'AT_FDCWD']] },
};
/** What nothing set is called. */
const NONE: Readonly<Record<string, string>> = { 'mmap 2': 'PROT_NONE', 'mprotect 2': 'PROT_NONE', 'openat 2': 'O_RDONLY' };

export const callText = ({ name, args }: InjectedCall): string => `${name}(${args.map((arg, i) => argumentText(name, i, arg)).join(', ')})`;

function argumentText(name: string, index: number, arg: CallArgument): string {
  if (arg === 'minus-one') return '-1';
  if (typeof arg === 'number') return flagText(name, index, arg) ?? (arg > 4096 ? `0x${arg.toString(16)}` : String(arg));
  const printable = arg.bytes.at(-1) === 0 && arg.bytes.slice(0, -1).every((b) => b >= 0x20 && b < 0x7f);
  return printable ? JSON.stringify(Buffer.from(arg.bytes.slice(0, -1)).toString('latin1')) : `[${arg.bytes.length} bytes]`;
}

/** Null where the argument is no flags, or has one that is not known here. */
function flagText(name: string, index: number, value: number): string | null {
  const known = FLAGS[name]?.[index];
  if (value === 0) return NONE[`${name} ${index}`] ?? null;
  if (known === undefined) return null;
  const whole = known.find(([bits]) => bits === value);
  if (whole !== undefined) return whole[1];
  const set = known.filter(([bits]) => bits > 0 && (value & bits) === bits);
  return set.reduce((sum, [bits]) => sum | bits, 0) === value ? set.map(([, text]) => text).join('|') : null;
}
