/**
 * Whether guests run with KVM: only where one has reached user space with it. A /dev/kvm that is there proves nothing: nested or filtered
 * virtualisation can hang a guest early. Tried once for each kernel of the host and each QEMU, with a deadline, and remembered in the cache.
 */
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../cache.ts';
import { cpioArchive } from '../initramfs/cpio.ts';
import type { LabKernel } from '../kernels.ts';
import { findProgram, runProgram } from '../program.ts';
import type { Qemu } from './find.ts';

const DEADLINE_MS = 15_000;
const WORD = 'unseat: user space';

export interface KvmAnswer {
  readonly accel: 'tcg' | 'kvm';
  readonly says: string;
}

const memory = (): string => join(cacheFolder('kvm'), 'answers.json');
const keyOf = (qemu: Qemu): string => `${release()} ${qemu.version}`;

function remembered(): Record<string, KvmAnswer> {
  try {
    return JSON.parse(readFileSync(memory(), 'utf8')) as Record<string, KvmAnswer>;
  } catch {
    return {};
  }
}

/** What is known without trying; null where it was not tried yet. */
export function knownAnswer(qemu: Qemu, env: Readonly<Record<string, string | undefined>> = process.env): KvmAnswer | null {
  const asked = env['UNSEAT_LAB_ACCEL'];
  if (asked === 'tcg' || asked === 'kvm') return { accel: asked, says: `${asked}, as UNSEAT_LAB_ACCEL says` };
  if (!existsSync('/dev/kvm')) return { accel: 'tcg', says: 'there is no /dev/kvm' };
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return { accel: 'tcg', says: '/dev/kvm cannot be opened by this user' };
  }
  return remembered()[keyOf(qemu)] ?? null;
}

export async function chooseAccel(qemu: Qemu, kernel: LabKernel, say: (line: string) => void = () => { /* nobody listens */ }): Promise<'tcg' | 'kvm'> {
  const known = knownAnswer(qemu);
  if (known !== null) return known.accel;
  say(`trying KVM once, for at most ${DEADLINE_MS / 1000} s`);
  const answer = await probe(qemu, kernel);
  writeFileSync(memory(), `${JSON.stringify({ ...remembered(), [keyOf(qemu)]: answer }, null, 1)}\n`);
  say(answer.says);
  return answer.accel;
}

async function probe(qemu: Qemu, kernel: LabKernel): Promise<KvmAnswer> {
  const busybox = findProgram('busybox');
  if (busybox === null) return { accel: 'tcg', says: 'KVM was not tried: BusyBox is missing' };
  const init = `#!/bin/busybox sh\n/bin/busybox echo "${WORD}"\n/bin/busybox poweroff -f\n`;
  const initramfs = join(cacheFolder('kvm'), 'probe.cpio');
  writeFileSync(initramfs, cpioArchive([
    { path: 'bin', kind: 'directory' }, { path: 'dev', kind: 'directory' }, { path: 'dev/console', kind: 'char', major: 5, minor: 1 },
    { path: 'bin/busybox', kind: 'file', content: readFileSync(busybox), executable: true }, { path: 'init', kind: 'file', content: Buffer.from(init), executable: true },
  ]));
  const args = ['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-machine', 'q35', '-accel', 'kvm', '-cpu', 'max', '-smp', '2', '-m', '512M',
    '-kernel', kernel.vmlinuz, '-initrd', initramfs, '-append', 'console=ttyS0 panic=-1 quiet rdinit=/init', '-serial', 'stdio'];
  const ran = await runProgram(qemu.program, [...qemu.prefix, ...args], { deadlineMs: DEADLINE_MS });
  if (ran.stdout.includes(WORD)) return { accel: 'kvm', says: `a guest of ${kernel.name} reached user space with KVM` };
  const why = ran.timedOut ? `no guest reached user space within ${DEADLINE_MS / 1000} s` : ran.stderr.trim().split('\n').at(-1) || 'the guest ended before user space';
  return { accel: 'tcg', says: `KVM is not used: ${why}` };
}
