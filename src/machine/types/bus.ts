import type { PhysRange } from '../../range/phys-range.ts';

/** /sys/bus/virtio/drivers/virtio_mem. */
export interface VirtioMem {
  /** `virtio1`. */
  readonly name: string;
  readonly driver: string | null;
  /** The whole address range of the device, from iomem. */
  readonly range: PhysRange | null;
  /** What of it is System RAM now. */
  readonly plugged: readonly PhysRange[];
  readonly blocks: readonly number[];
  readonly pci: string | null;
  readonly path: string;
}

export interface VirtioPmem {
  readonly name: string;
  readonly driver: string | null;
  readonly region: string | null;
  readonly pci: string | null;
  readonly path: string;
}

/** An ACPI memory device (PNP0C80): a DIMM slot. */
export interface AcpiMemoryDevice {
  /** `PNP0C80:00`. */
  readonly name: string;
  /** _STA as read; 15 is present and enabled, 0 is an empty slot. */
  readonly status: number | null;
  readonly blocks: readonly number[];
  readonly range: PhysRange | null;
  readonly ejectable: boolean;
  readonly path: string;
}

/** A card as its first function describes it. */
export interface PciCard {
  /** `vendor:device` in hex, as lspci -n prints them. */
  readonly ids: string | null;
  /** PCI class in hex, `0x050210` for a CXL memory device. */
  readonly class: string | null;
  /** From the vital product data (`vpd`, keyword SN), or of the CXL memdev behind it. */
  readonly serial: string | null;
  /** From the vital product data (keyword PN). */
  readonly partNumber: string | null;
  /** ACPI or SMBIOS label of the place (`label`, `acpi_index`), where firmware gives one. */
  readonly location: string | null;
}

/** A press of the attention button that is not over. */
export interface PendingPowerOff {
  /** The line of the kernel log. */
  readonly line: string;
  /** Before now, or before the end of a capture's log; null where the log has no times. */
  readonly secondsAgo: number | null;
}

export interface PciSlot {
  /** Name in /sys/bus/pci/slots. */
  readonly name: string;
  /** `0000:0d:00` without function; null for an empty slot without one. */
  readonly address: string | null;
  readonly power: boolean | null;
  readonly attention: number | null;
  readonly adapter: boolean | null;
  readonly latch: boolean | null;
  /** `pciehp` or `acpiphp` (the latter has `latch`); null where it cannot be told. */
  readonly driver: 'pciehp' | 'acpiphp' | null;
  /** PCI functions behind the slot, `0000:0d:00.0`. */
  readonly functions: readonly string[];
  /** What is known of the card in it; null for an empty slot. */
  readonly card?: PciCard | null;
  /** The slot is about to lose its power; absent where the kernel log shows no such thing. */
  readonly powerOffPending?: PendingPowerOff;
  readonly path: string;
}
