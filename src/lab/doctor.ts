/** `lab doctor`: what the lab needs and what is there. */
import { existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { fetchedKernels } from './kernels.ts';
import { findProgram } from './program.ts';
import { availableQemus, toolsRoot, type Qemu } from './qemu/find.ts';
import { knownAnswer } from './qemu/kvm.ts';

export interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do where it is not ok. */
  readonly next?: string;
  /** Without it no scenario runs at all. */
  readonly needed: boolean;
}

const MIN_FREE = 3 * 1024 ** 3;

/** KVM is a convenience: said, never missing. */
const kvm = (qemus: readonly Qemu[]): Check[] => qemus.map((q) => ({ what: `KVM with QEMU ${q.version}`, ok: true, found: knownAnswer(q)?.says ?? 'not tried yet: the first run will', needed: false }));

export async function labDoctor(): Promise<Check[]> {
  const program = (name: string, pack: string, needed: boolean): Check => {
    const path = findProgram(name);
    return { what: name, ok: path !== null, found: path ?? 'not installed', needed, ...(path === null ? { next: `Install the package ${pack}.` } : {}) };
  };
  const qemus = await availableQemus();
  const newer = qemus.some((q) => q.major >= 10);
  const kernels = fetchedKernels();
  const disk = statfsSync(cacheFolder());
  const free = disk.bavail * disk.bsize;
  return [
    { what: 'QEMU', ok: qemus.length > 0, found: qemus.map((q) => `${q.version} (${q.from})`).join(', ') || 'not installed', needed: true, ...(qemus.length === 0 ? { next: 'Install the package qemu-system-x86.' } : {}) },
    { what: 'QEMU 10 for CXL, virtio-mem, DIMMs and slots', ok: newer, found: newer ? 'yes' : 'no', needed: false, ...(newer ? {} : { next: 'unseat lab fetch tools' }) },
    ...kvm(qemus),
    program('busybox', 'busybox-static', true), program('gcc', 'gcc', true), program('ndctl', 'ndctl', true), program('mkfs.ext4', 'e2fsprogs', true),
    program('mkfs.xfs', 'xfsprogs', false), program('dpkg-deb', 'dpkg', false), program('apt-get', 'apt', false), program('xz', 'xz-utils', false),
    { what: 'cxl of a newer suite', ok: existsSync(join(toolsRoot(), 'bin-own/cxl')), found: existsSync(join(toolsRoot(), 'bin-own/cxl')) ? 'yes' : 'no', needed: false, next: 'unseat lab fetch tools' },
    { what: 'disk space in the cache', ok: free > MIN_FREE, found: `${(free / 1024 ** 3).toFixed(1)} GiB free in ${cacheFolder()}`, needed: true },
    { what: 'kernels', ok: kernels.length > 0, found: kernels.map((k) => `${k.name} (${k.release})`).join(', ') || 'none fetched', needed: true, ...(kernels.length === 0 ? { next: 'unseat lab fetch' } : {}) },
  ];
}
