/** The processes of a litmus test: what each maps, has touched, opened, pinned. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { INODE } from '../../kernel/fs/inode.ts';
import { FD } from '../../kernel/fs/file.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PIN_KINDS, pinPages } from '../../kernel/mm/pin-holders.ts';
import { vmaStart } from '../../kernel/mm/mm_struct.ts';
import { pinLongterm, spliceGet } from '../../kernel/mm/pin-ram.ts';
import { userAlloc } from '../../kernel/mm/ram-user.ts';
import { addProcess, chdir, mapAnonymous, mapFile, openFile, touchAll } from '../../kernel/setup/process.ts';
import { run } from '../../kernel/setup/run.ts';
import { runStraight } from '../../kernel/state/path.ts';
import { kvmCreate } from '../../kernel/virt/kvm.ts';
import { watchProcess } from './in-kernel.ts';
import type { BuiltMachine } from './machine.ts';
import type { LitmusProcess } from './schema.ts';

export interface ProcessHandle {
  readonly task: number;
  /** VMA and first virtual page of what it maps; 0 where it maps nothing. */
  readonly vma: number;
  readonly vpn: number;
  readonly pages: number;
  /** Descriptor of its pin (0: none, or the kernel refused it), and the holder behind it. */
  readonly pinFd: number;
  readonly pinHolder: number;
  /** What the pin said: 0, or -errno. */
  readonly pinned: number;
  /** User of System RAM (0: none). */
  readonly user: number;
  readonly vm: number;
  readonly spec: LitmusProcess;
}

/** Inode of a file or of a device's node. */
export function inodeNamed(built: BuiltMachine, name: string): number {
  const device = built.devices.get(name);
  const inode = built.files.get(name) ?? (device?.kind === 'devdax' ? device.inode : 0);
  if (inode === 0) throw new UnseatError('BAD_SCENARIO', `${name} is no file and no device-dax device`);
  return inode;
}

export function addProcessNamed(built: BuiltMachine, name: string, spec: LitmusProcess): ProcessHandle {
  const { k } = built;
  const task = addProcess(k, { comm: name, domain: spec.domain, handlesSigbus: spec.handles_sigbus, ...(spec.mce_kill === undefined ? {} : { mceKill: spec.mce_kill }) });
  watchProcess(k, task);
  let [vma, vpn, pages] = [0, 0, 0];
  if (spec.maps !== undefined) {
    const inode = inodeNamed(built, spec.maps);
    pages = spec.pages ?? Math.min(k.heap.load(inode + INODE.pages), built.files.has(spec.maps) ? 512 : 1);
    vma = mapFile(k, task, inode, { pages, private: spec.private ?? false, readOnly: spec.read_only ?? false, sync: spec.sync ?? false });
    vpn = vmaStart(k, vma);
    if (spec.touched !== 'no') touchAll(k, task, vma, spec.touched);
  }
  if (spec.anon !== undefined) {
    pages = spec.anon;
    vma = mapAnonymous(k, task, pages);
    vpn = vmaStart(k, vma);
    touchAll(k, task, vma, 'write');
  }
  for (const file of spec.opens) openFile(k, task, inodeNamed(built, file));
  if (spec.cwd !== undefined) chdir(k, task, inodeNamed(built, spec.cwd));
  const vm = spec.kvm === true ? kvmCreate(k, task, vpn, pages) : 0;
  return { task, vma, vpn, pages, ...takePin(k, spec, task, vpn), user: addUser(built, name, spec), vm, spec };
}

function takePin(k: Kernel, spec: LitmusProcess, task: number, vpn: number): { pinFd: number; pinHolder: number; pinned: number } {
  if (spec.pin === undefined) return { pinFd: 0, pinHolder: 0, pinned: 0 };
  const fd = run(k, pinPages(k, task, PIN_KINDS.indexOf(spec.pin), vpn, 1)).rc;
  // A kernel that refuses the pin has the process without it: the test is then about nothing, and `sometimes` says so.
  return fd < 0 ? { pinFd: 0, pinHolder: 0, pinned: fd } : { pinFd: fd, pinHolder: k.heap.load(fd + FD.holder), pinned: 0 };
}

function addUser(built: BuiltMachine, name: string, spec: LitmusProcess): number {
  if (spec.ram === undefined) return 0;
  const { k } = built;
  const device = built.devices.get(spec.ram.of);
  if (device?.kind !== 'ram') throw new UnseatError('BAD_SCENARIO', `processes.${name}.ram.of: ${spec.ram.of} is no ram`);
  const user = userAlloc(k, { name, kind: spec.ram.kind, nid: device.node, folios: 1, order: 0, thisNode: true, value: 7 });
  if (user === 0) throw new UnseatError('BAD_SCENARIO', `processes.${name}: no free memory on ${spec.ram.of}; is it online?`);
  if (spec.ram.pins === 'get') spliceGet(k, user, 0, 1);
  if (spec.ram.pins === 'longterm') runStraight(pinLongterm(k, user, 0, 1));
  return user;
}
