/** What happens to a slot from outside: a press of the button, a card pulled, QEMU's device_del and device_add. */
import { acpiphpEject } from '../drivers/pci/acpiphp.ts';
import { EVENT, pciehpIst } from '../drivers/pci/pciehp.ts';
import { cardUnpowered, createSlot, SLOT, SLOT_KIND } from '../drivers/pci/slot.ts';
import type { Kernel } from '../kernel.ts';
import { BLOCKED, runStraight } from '../state/path.ts';
import { storeLong } from '../state/long.ts';
import { threads } from '../threads.ts';

export interface SlotInput {
  readonly name: string;
  readonly kind: keyof typeof SLOT_KIND;
  /** PCI device in the slot; 0: empty. */
  readonly dev: number;
  /** Bytes of the card's BAR memory, half open. */
  readonly bar?: { readonly start: number; readonly end: number };
}

/** A slot with its interrupt thread. */
export function makeSlot(k: Kernel, input: SlotInput): number {
  const slot = createSlot(k, input.name, input.kind, input.dev);
  if (input.bar) {
    storeLong(k.heap, slot + SLOT.barStart, input.bar.start);
    storeLong(k.heap, slot + SLOT.barEnd, input.bar.end);
  }
  if (input.kind === 'pciehp') threads(k).spawn(`irq/pciehp ${input.name}`, () => pciehpIst(k, slot));
  return slot;
}

/** Somebody presses the attention button. */
export function pressButton(k: Kernel, slot: number): void {
  k.heap.store(slot + SLOT.events, k.heap.load(slot + SLOT.events) | EVENT.button);
  threads(k).run();
}

/** Somebody pulls the card: from this moment nothing answers; the kernel hears of it by the interrupt. */
export function pullCard(k: Kernel, slot: number): void {
  k.heap.store(slot + SLOT.adapter, 0);
  cardUnpowered(k, slot);
  k.heap.store(slot + SLOT.events, k.heap.load(slot + SLOT.events) | EVENT.linkDown | EVENT.presence);
  threads(k).run();
}

/** QEMU `device_del`: an ACPI slot is ejected at once; a native one gets a press, and the card goes when power is off. */
export function deviceDelByHost(k: Kernel, slot: number): void {
  if (k.heap.load(slot + SLOT.kind) === SLOT_KIND.acpiphp) {
    runStraight(acpiphpEject(k, slot));
    return;
  }
  threads(k).spawn('qemu: waits for power off', function* () {
    while (k.heap.load(slot + SLOT.power) !== 0) yield BLOCKED('S qemu: slot has power');
    k.heap.store(slot + SLOT.adapter, 0);
    return 0;
  });
  pressButton(k, slot);
}

/** A card is put in and the button pressed (QEMU `device_add`). What is on it is probed by the caller when power is on. */
export function putCardIn(k: Kernel, slot: number): void {
  k.heap.store(slot + SLOT.adapter, 1);
  pressButton(k, slot);
}
