/**
 * Long-term pins that a process may have on the memory it holds. Flags and counts of pages tell nothing about pins
 * (KERNEL-TRUTH), so this goes by what the process has open. `seen` means that the kernel itself names a range inside
 * a mapping of the device; everything else that could pin is `possible`; what cannot be looked at is `unseen`.
 */
import { isMissing, type Fact } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { byteString } from '../../host/names.ts';
import type { Mapping, OpenFile } from '../../host/processes.ts';
import type { HeldMapping, Pin, PinKind } from '../types/holder.ts';
import { parseFdInfo, type FdInfo } from './fdinfo.ts';
import type { HeldMappings } from './held-mapping.ts';
import { isKvmVm } from './vm.ts';

export interface PinTraits {
  readonly pid: number;
  readonly files: Fact<readonly OpenFile[]>;
  /** Its mappings for which `isRing` holds. */
  readonly rings: readonly Mapping[];
  /** Undefined where it maps nothing of the device. */
  readonly held: HeldMappings | undefined;
  readonly pinnedBytes: number | null;
  readonly isVm: boolean;
}

export function pinsOf(host: Host, traits: PinTraits): Pin[] {
  if (isMissing(traits.files)) return [{ kind: 'other', certainty: 'unseen', bytes: null, evidence: `its open files cannot be seen (${traits.files.missing})` }];
  const { files } = traits;
  const pins = files.filter((file) => file.target === 'anon_inode:[io_uring]').map((file) => ioUringPin(host, traits, file));
  for (const [kind, matches, why] of DESCRIPTORS) {
    const found = files.filter((file) => matches(file));
    if (found.length > 0) pins.push({ kind, certainty: certaintyOf(kind, found, traits), bytes: null, evidence: `${listed(found)}: ${why}` });
  }
  pins.push(...mappedPins(traits.rings));
  if ((traits.pinnedBytes ?? 0) > 0) {
    pins.push({ kind: 'other', certainty: 'possible', bytes: traits.pinnedBytes, evidence: 'VmPin in its status: drivers account pinned memory to it, of which memory is not said' });
  }
  return pins;
}

type Rule = readonly [kind: PinKind, matches: (file: OpenFile) => boolean, why: string];

const DESCRIPTORS: readonly Rule[] = [
  ['vfio', (f) => f.target.startsWith('/dev/vfio/') || f.target.startsWith('anon_inode:[vfio'), 'memory mapped for DMA through vfio is pinned'],
  ['iommufd', (f) => f.target === '/dev/iommu' || f.target.startsWith('anon_inode:[iommufd'), 'memory mapped for DMA through iommufd is pinned'],
  ['rdma', (f) => /^\/dev\/infiniband\/uverbs\d+/.test(f.target) || /^anon_inode:\[(infiniband|uverbs)/.test(f.target), 'memory regions registered with verbs are pinned'],
  ['kvm', isKvmVm, 'guest memory that KVM maps, and what the guest does with it'],
  ['pipe', (f) => f.target.startsWith('pipe:['), 'pages given to a pipe by vmsplice or splice stay referenced until they are read'],
];

/** A VM has all of its guest memory mapped for DMA as soon as it has a vfio device. */
function certaintyOf(kind: PinKind, files: readonly OpenFile[], traits: PinTraits): Pin['certainty'] {
  const device = kind === 'vfio' && files.some((file) => file.target.startsWith('anon_inode:[vfio-device]') || file.target.startsWith('/dev/vfio/devices/'));
  return device && traits.isVm && traits.held !== undefined ? 'seen' : 'possible';
}

function ioUringPin(host: Host, traits: PinTraits, file: OpenFile): Pin {
  const label = `fd ${file.fd} ${file.target}`;
  const raw = host.processes.fdInfo(traits.pid, file.fd);
  if (isMissing(raw)) return { kind: 'io_uring', certainty: 'possible', bytes: null, evidence: `${label}, whether it has registered buffers cannot be seen (fdinfo: ${raw.missing})` };
  return judgeIoUring(label, parseFdInfo(byteString(raw)).ioUring, traits.held?.list ?? []);
}

/** Exported for its tests: what the ring's fdinfo says about pins on the held mappings. */
export function judgeIoUring(label: string, ring: FdInfo['ioUring'], held: readonly HeldMapping[]): Pin {
  const pin = (certainty: Pin['certainty'], bytes: number | null, evidence: string): Pin => ({ kind: 'io_uring', certainty, bytes, evidence: `${label}, ${evidence}` });
  if (ring === null) return pin('possible', null, 'its fdinfo tells nothing about registered buffers');
  const inside = ring.buffers.filter((b) => held.some((m) => b.address < m.end && m.start < b.address + b.bytes));
  if (inside.length > 0) {
    return pin('seen', inside.reduce((sum, b) => sum + overlapBytes(b, held), 0), `UserBufs ${inside.map((b) => `0x${b.address.toString(16)}/${b.bytes}`).join(', ')} in a mapping of the device`);
  }
  if (ring.slots > ring.listed) return pin('possible', null, `UserBufs ${ring.slots}, which the ring was too busy to list`);
  if (ring.buffers.length > 0) return pin('possible', null, `UserBufs ${ring.buffers.length}, none in what it maps of the device now`);
  return pin('possible', null, 'no registered buffers; I/O in flight cannot be seen');
}

function overlapBytes(buffer: { address: number; bytes: number }, held: readonly HeldMapping[]): number {
  return held.reduce((sum, m) => sum + Math.max(0, Math.min(m.end, buffer.address + buffer.bytes) - Math.max(m.start, buffer.address)), 0);
}

/** XDP_UMEM_PGOFF_FILL_RING and XDP_UMEM_PGOFF_COMPLETION_RING, include/uapi/linux/if_xdp.h. Other sockets map nothing there. */
const UMEM_RINGS = new Set([0x100000000, 0x180000000]);

/** Mapped sockets and AIO rings: they tell of memory that is pinned elsewhere. */
export const isRing = ({ name }: Pick<Mapping, 'name'>): boolean => name.startsWith('socket:[') || name.startsWith('/[aio]');

function mappedPins(mappings: readonly Mapping[]): Pin[] {
  const pins: Pin[] = [];
  const rings = mappings.filter((m) => m.name.startsWith('socket:[') && UMEM_RINGS.has(m.offset));
  if (rings.length > 0) pins.push({ kind: 'af_xdp', certainty: 'possible', bytes: null, evidence: `${rings[0]?.name} with umem rings: the umem of an AF_XDP socket is pinned, where it lies is not said` });
  const aio = mappings.find((m) => m.name === '/[aio]' || m.name === '/[aio] (deleted)');
  if (aio !== undefined) pins.push({ kind: 'io-in-flight', certainty: 'possible', bytes: null, evidence: 'an AIO ring (/[aio]): direct I/O from or to the memory may be in flight' });
  return pins;
}

const SHOWN = 4;
function listed(files: readonly OpenFile[]): string {
  const shown = files.slice(0, SHOWN).map((file) => `fd ${file.fd} ${file.target}`).join(', ');
  return files.length > SHOWN ? `${shown} and ${files.length - SHOWN} more` : shown;
}
