/**
 * The inventory: everything `unseat` knows about a machine, typed, read from a host and from nothing else.
 * It is plain data (it goes to `--json` as it is): sizes and addresses in bytes, ranges half open.
 */
import type { Missing } from '../host/fact.ts';
import type { AddressMap } from './types/address-map.ts';
import type { CxlInventory } from './types/cxl.ts';
import type { DaxDevice } from './types/dax.ts';
import type { Device } from './types/device.ts';
import type { Holder } from './types/holder.ts';
import type { MemoryInventory, Rival } from './types/memory.ts';
import type { NvdimmBus } from './types/nvdimm.ts';
import type { AcpiMemoryDevice, PciSlot, VirtioMem, VirtioPmem } from './types/bus.ts';
import type { BlockDevice, Mount, NfsExport, OverlayLayer, SwapArea } from './types/stack.ts';

export interface Machine {
  readonly host: { readonly kind: string; readonly label: string; readonly takenAt?: string };
  readonly kernel: KernelIdentity;
  readonly addressMap: AddressMap;
  readonly memory: MemoryInventory;
  readonly rivals: readonly Rival[];
  readonly nvdimm: readonly NvdimmBus[];
  readonly dax: readonly DaxDevice[];
  readonly cxl: CxlInventory;
  readonly virtioMem: readonly VirtioMem[];
  readonly virtioPmem: readonly VirtioPmem[];
  readonly dimms: readonly AcpiMemoryDevice[];
  readonly slots: readonly PciSlot[];
  readonly blockDevices: readonly BlockDevice[];
  readonly mounts: readonly Mount[];
  readonly swaps: readonly SwapArea[];
  /** Overlay layers and NFS exports, with the file system that each lies on. */
  readonly overlays?: readonly OverlayLayer[];
  readonly exports?: readonly NfsExport[];
  /** Every removable unit, with the relations between them; what `plan DEVICE` names. */
  readonly devices: readonly Device[];
  /** Holders by device id (`Device.id`); only for devices for which a holder search was made. */
  readonly holders: Readonly<Record<string, readonly Holder[]>>;
  /** What could not be read, or was read and made no sense. Never silently dropped. */
  readonly notes: readonly Note[];
}

export interface KernelIdentity {
  readonly release: string | null;
  readonly version: string | null;
  readonly arch: string | null;
  readonly pageSize: number | null;
  readonly cmdline: string | null;
}

/** Something the reader of the inventory must know: a limit of what was seen, or an oddity. */
export interface Note {
  /** Stable: `iomem-hidden`, `not-captured`, `denied`, `malformed`, `vanished`, `disagreement`, ... */
  readonly code: string;
  /** One sentence for people. */
  readonly text: string;
  /** The file or thing concerned. */
  readonly subject?: string;
  /** The absence behind it, where there is one. */
  readonly absence?: Missing;
}
