/**
 * Hotplug slots as /sys/bus/pci/slots/N shows them (drivers/pci/slot.c, drivers/pci/hotplug/pci_hotplug_core.c; 5.10 to
 * 7.2), and what it means for a card that its power or link goes.
 */
import type { Kernel } from '../../kernel.ts';
import { Slab } from '../../state/slab.ts';
import { physGone } from '../../mm/physmem.ts';
import { CXL_CLASS, cardGone } from '../cxl/mem.ts';
import { regionsOf, resetDecoders } from '../cxl/cxl.ts';
import { DEV, deviceData } from '../base/bus.ts';
import { loadLong } from '../../state/long.ts';

/** Words of a slot. */
export const SLOT = {
  name: 0,
  /** SLOT_KIND. */
  kind: 1,
  /** 1 while the slot has power. */
  power: 2,
  /** 1 while a card is in it. */
  adapter: 3,
  /** Attention indicator, as written. */
  attention: 4,
  latch: 5,
  /** Power indicator: 0 off (safe to pull), 1 on, 2 blinking. */
  indicator: 6,
  /** PCI device in the slot, 0 for none. */
  dev: 7,
  /** State machine of pciehp. */
  state: 8,
  /** Clock (tenths) at which the button's five seconds are over. */
  deadline: 9,
  /** Events that the interrupt has noted: bits of SLOT_EVENT. */
  events: 10,
  /** BAR memory of the card, as longs in bytes; answers all ones once the card is gone. */
  barStart: 11,
  barEnd: 13,
  next: 15,
  words: 16,
} as const;

export const SLOT_KIND = { pciehp: 1, acpiphp: 2 } as const;
export const INDICATOR = { off: 0, on: 1, blinking: 2 } as const;

interface Slots {
  readonly slab: Slab;
  /** Word: first slot. */
  readonly head: number;
}
const makeSlots = (k: Kernel): Slots => ({ slab: new Slab(k.heap, 'hotplug slot', SLOT.words, 8), head: k.heap.reserve(1) });
export const slots = (k: Kernel): Slots => k.part(makeSlots);

export const slotName = (k: Kernel, slot: number): string => k.names.text(k.heap.load(slot + SLOT.name));

/** A slot with a card in it and power on; `dev` 0 for an empty one. */
export function createSlot(k: Kernel, name: string, kind: keyof typeof SLOT_KIND, dev: number): number {
  const { slab, head } = slots(k);
  const slot = slab.alloc();
  const full = dev === 0 ? 0 : 1;
  for (const [word, value] of [[SLOT.name, k.names.of(name)], [SLOT.kind, SLOT_KIND[kind]], [SLOT.power, full], [SLOT.adapter, full], [SLOT.indicator, full], [SLOT.dev, dev], [SLOT.state, full]] as const) {
    k.heap.store(slot + word, value);
  }
  k.heap.store(slot + SLOT.next, k.heap.load(head));
  k.heap.store(head, slot);
  return slot;
}

/** All slots, newest first. */
export function allSlots(k: Kernel): number[] {
  const found: number[] = [];
  for (let slot = k.heap.load(slots(k).head); slot !== 0; slot = k.heap.load(slot + SLOT.next)) found.push(slot);
  return found;
}

/** The card stops answering: memory behind its decoders, and its BAR ("2g": all ones reach CPU, guest and DMA). */
export function cardUnpowered(k: Kernel, slot: number): void {
  const dev = k.heap.load(slot + SLOT.dev);
  if (dev !== 0 && k.heap.load(dev + DEV.value) === CXL_CLASS) {
    const memdev = deviceData(k, dev);
    cardGone(k, memdev);
    for (const region of regionsOf(k, memdev)) resetDecoders(k, region, true);
  }
  const start = loadLong(k.heap, slot + SLOT.barStart);
  const end = loadLong(k.heap, slot + SLOT.barEnd);
  if (end > start) physGone(k, start, end, -1);
}
