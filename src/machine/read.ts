/** The whole inventory, read from a host and from nothing else. */
import { isMissing, orElse } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import { GiB } from '../range/units.ts';
import { readAddressMap } from './address-map/iomem.ts';
import { withButtons } from './bus/buttons.ts';
import { readDimms } from './bus/dimms.ts';
import { readSlots } from './bus/slots.ts';
import { readVirtioMem, readVirtioPmem } from './bus/virtio.ts';
import { readCxl } from './cxl/cxl.ts';
import { readDax } from './dax/dax.ts';
import { buildDevices } from './devices/build.ts';
import type { KernelIdentity, Machine } from './machine.ts';
import { readMemory } from './memory/memory.ts';
import { readBlockPages, withPages } from './memory/pages.ts';
import { readNvdimm } from './nvdimm/buses.ts';
import { Reader } from './reader.ts';
import { readRivals } from './rivals/rivals.ts';
import { NO_STACK, readStack } from './stack/stack.ts';
import { noteOddities, noteUnclaimed } from './oddities.ts';
import type { Device } from './types/device.ts';
import type { MemoryInventory } from './types/memory.ts';

export interface ReadOptions {
  /** Look for programs and rules that act behind our back (reads every process's name). Default true. */
  readonly rivals?: boolean;
  /** Read what is on the blocks of removable memory (about 60 ns a page); `when-cheap`: up to CHEAP_BYTES of it. Default false. */
  readonly pages?: boolean | 'when-cheap';
  /**
   * `when-memory-has-one`: on a machine without memory that a file system or a process could hold by a device, nothing is
   * read of block devices, mounts, swap and monitors, which matter to such memory alone. Default `always`.
   */
  readonly users?: 'always' | 'when-memory-has-one';
}

/** Never throws for what a machine may show: what could not be read or made no sense is in `notes`. */
export function readMachine(host: Host, options: ReadOptions = {}): Machine {
  const reader = new Reader(host);
  const kernel = readKernel(reader);
  const addressMap = readAddressMap(reader);
  const memory = readMemory(reader, addressMap, kernel.cmdline);
  const cxl = readCxl(reader, addressMap);
  const nvdimm = readNvdimm(reader);
  const dax = readDax(reader, addressMap, memory);
  const virtioPmem = readVirtioPmem(reader);
  const taken = host.kind === 'capture' ? host.time.wall() : null;
  const used = options.users !== 'when-memory-has-one' || nvdimm.length + dax.length + virtioPmem.length + cxl.memdevs.length > 0;
  const { mounts, ...stack } = used ? readStack(reader) : NO_STACK;
  const parts = {
    memory, cxl, mounts, nvdimm, dax,
    virtioMem: readVirtioMem(reader, addressMap, memory),
    virtioPmem,
    dimms: readDimms(reader, memory),
    slots: withButtons(reader, readSlots(reader, cxl.memdevs)),
    ...stack,
  };
  const rivals = options.rivals === false ? [] : readRivals(reader, memory, used);
  noteOddities(reader, addressMap, parts);
  const devices = buildDevices(parts);
  noteUnclaimed(reader, addressMap, devices);
  return {
    host: { kind: host.kind, label: host.label, ...(taken !== null && !isMissing(taken) ? { takenAt: taken } : {}) },
    kernel, addressMap, rivals, ...parts, devices,
    memory: options.pages ? withRemovablePages(reader, memory, devices, options.pages === true ? Infinity : CHEAP_BYTES) : memory,
    holders: {},
    notes: reader.notes(),
  };
}

/** 8 GiB are two million pages: about an eighth of a second. */
const CHEAP_BYTES = 8 * GiB;

/** Blocks that belong to a device; boot memory is not looked at. */
function withRemovablePages(reader: Reader, memory: MemoryInventory, devices: readonly Device[], most: number): MemoryInventory {
  const wanted = new Set(devices.filter((d) => d.kind !== 'memory-block').flatMap((d) => d.blocks));
  const blocks = memory.blocks.filter((b) => wanted.has(b.index));
  if (blocks.reduce((sum, b) => sum + b.end - b.start, 0) > most) return memory;
  const pages = readBlockPages(reader.host, blocks);
  for (const found of pages.values()) if (isMissing(found)) reader.absence(found, true);
  return { ...memory, blocks: withPages(memory.blocks, pages) };
}

function readKernel(reader: Reader): KernelIdentity {
  const { identity } = reader.host;
  return {
    release: orElse(identity.release, null),
    version: orElse(identity.version, null),
    arch: orElse(identity.arch, null),
    pageSize: orElse(identity.pageSize, null),
    cmdline: reader.text('/proc/cmdline'),
  };
}
