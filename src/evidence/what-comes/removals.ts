/**
 * The ways in which a device of a simulated machine goes: its driver is unbound, what it hangs on is taken down (CXL
 * card, region), or the hardware leaves its slot.
 */
import { unbindStore } from '../../kernel/drivers/base/dd.ts';
import { deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { MEMDEV } from '../../kernel/drivers/cxl/cxl.ts';
import { commitStore } from '../../kernel/drivers/cxl/region.ts';
import { powerStore } from '../../kernel/drivers/pci/pciehp.ts';
import { SLOT } from '../../kernel/drivers/pci/slot.ts';
import { EBUSY } from '../../kernel/errno.ts';
import type { CardPlace, World } from '../../kernel/host/world.ts';
import { deviceDelByHost, pullCard } from '../../kernel/setup/slot.ts';
import { threads } from '../../kernel/threads.ts';

/** How it ended: as a thread does, and where it waits. */
export interface Taken {
  readonly state: 'waiting' | 'done' | 'dead';
  readonly where: string;
  /** What the write said, where it is a write: a negative errno is a refusal. */
  readonly result?: number;
}

export interface Removal {
  readonly name: string;
  /** Whether the device goes by itself, so that it can be bound again, or with the CXL device that it is on. */
  readonly through: 'self' | 'cxl';
  readonly take: (world: World, device: number) => Taken;
}

/** A fresh machine, the same each time, the leaf device on it (heap address), and how it goes. */
export type Make = () => { readonly world: World; readonly device: number; readonly removal: Removal };

export const UNBIND: Removal = { name: 'unbind', through: 'self', take: ({ k }, device) => threads(k).spawn('unbind', () => unbindStore(k, deviceDriver(k, device), device)) };

const cardOf = (world: World): CardPlace => {
  const card = world.hotplug?.cards.find((c) => c.region !== 0);
  if (card === undefined) throw new Error('no card of this machine has a region');
  return card;
};
/** The slot that the card sits in, or sat in before it went. */
const slotOf = (world: World): number => {
  const { pci } = cardOf(world);
  const slot = world.hotplug?.slots.find((s) => pci.startsWith(`${s.address}.`));
  if (slot === undefined) throw new Error(`no slot of this machine holds ${pci}`);
  return slot.slot;
};
const unbindOf = (which: 'dev' | 'pci'): Removal['take'] => (world) => {
  const { k } = world;
  const device = k.heap.load(cardOf(world).memdev + MEMDEV[which]);
  return threads(k).spawn('unbind', () => unbindStore(k, deviceDriver(k, device), device));
};

/** What takes the one CXL region of a machine away. */
export const CXL_REMOVALS = {
  cxlMem: { name: 'cxl_mem unbind', through: 'cxl', take: unbindOf('dev') },
  cxlPci: { name: 'cxl_pci unbind', through: 'cxl', take: unbindOf('pci') },
  commit: { name: 'region commit 0', through: 'cxl', take: (world) => threads(world.k).spawn('commit', () => commitStore(world.k, cardOf(world).region, 0)) },
  slotPower: { name: 'slot power 0', through: 'cxl', take: (world) => threads(world.k).spawn('power', () => powerStore(world.k, slotOf(world), 0)) },
  button: {
    name: 'attention button', through: 'cxl',
    take: (world) => {
      deviceDelByHost(world.k, slotOf(world));
      threads(world.k).pass(5.2);
      return endOf(world);
    },
  },
  surprise: {
    name: 'surprise removal', through: 'cxl',
    take: (world) => {
      pullCard(world.k, slotOf(world));
      return endOf(world);
    },
  },
} as const satisfies Readonly<Record<string, Removal>>;

/** The slot's own thread never ends: it is done when the slot has lost its power. */
function endOf(world: World): Taken {
  const { k } = world;
  const irq = threads(k).all.find((t) => t.name.startsWith('irq/pciehp') && (t.state === 'dead' || !t.where.includes('waits for an event')));
  if (k.heap.load(slotOf(world) + SLOT.power) === 0 && k.heap.load(slotOf(world) + SLOT.dev) === 0) return { state: 'done', where: '' };
  // Back to rest with power on: the slot has refused.
  if (irq === undefined) return { state: 'done', where: '', result: -EBUSY };
  return { state: irq.state === 'dead' ? 'dead' : 'waiting', where: irq.where };
}
