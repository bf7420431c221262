/** Part B, section 8: PCIe slots. */
import type { Profile } from '../../profile/profile.ts';
import { deviceAlloc, driverCore, busDevices, type Driver } from '../drivers/base/bus.ts';
import { deviceAdd } from '../drivers/base/dd.ts';
import { attentionShow } from '../drivers/pci/acpiphp.ts';
import { powerStore } from '../drivers/pci/pciehp.ts';
import { SLOT } from '../drivers/pci/slot.ts';
import type { Kernel } from '../kernel.ts';
import { deviceDelByHost, makeSlot, putCardIn } from '../setup/slot.ts';
import { runStraight } from '../state/path.ts';
import { threads } from '../threads.ts';
import { bootTruth, errno } from './ram-scene.ts';
import { columns, type TruthRow } from './row.ts';

const DISK: Driver = { name: 'virtio-pci', *probe() { return 0; }, *remove() { return 0; } };

class SlotScene {
  readonly k: Kernel;
  readonly slot: number;

  constructor(profile: Profile, kind: 'pciehp' | 'acpiphp') {
    this.k = bootTruth(profile);
    driverCore(this.k).register('pci', DISK);
    const dev = deviceAlloc(this.k, { bus: 'pci', name: '0000:02:00.0' });
    runStraight(deviceAdd(this.k, dev));
    this.slot = makeSlot(this.k, { name: kind === 'pciehp' ? '5' : '0', kind, dev });
  }

  get files(): string {
    return [SLOT.power, SLOT.adapter].map((word) => this.k.heap.load(this.slot + word)).join('/');
  }

  get devices(): number {
    return busDevices(this.k, 'pci').length;
  }
}

export const PART_B_SLOTS: readonly TruthRow[] = [
  {
    id: 'B 8 pciehp', says: 'device_del on a native slot: five seconds in which sysfs shows nothing, then power 0 adapter 0', seen: columns('7.2', { effects: ['clean'], figures: { before: '1/1', during: '1/1', after: '0/0', says: true } }),
    run: (profile) => {
      const s = new SlotScene(profile, 'pciehp');
      const before = s.files;
      deviceDelByHost(s.k, s.slot);
      threads(s.k).pass(4);
      const during = s.files;
      threads(s.k).pass(1.2);
      return { effects: s.devices === 0 ? ['clean'] : [], figures: { before, during, after: s.files, says: s.k.log.has('Button press: will power off in 5 sec') } };
    },
  },
  {
    id: 'B 8 pciehp add', says: 'device_add: button, Card present, Link Up, power 1 adapter 1', seen: columns('7.2', { effects: [], figures: { after: '1/1', lines: 3 } }),
    run: (profile) => {
      const s = new SlotScene(profile, 'pciehp');
      deviceDelByHost(s.k, s.slot);
      threads(s.k).pass(6);
      putCardIn(s.k, s.slot);
      threads(s.k).pass(6);
      return { effects: [], figures: { after: s.files, lines: ['will power on in 5 sec', 'Card present', 'Link Up'].filter((line) => s.k.log.has(line)).length } };
    },
  },
  {
    id: 'B 8 pciehp text', says: 'what 6.1 and 7.2 log for the button', seen: { '6.1': { effects: [], figures: { text: 'Powering off due to button press' } }, '7.2': { effects: [], figures: { text: 'Button press: will power off in 5 sec' } } },
    run: (profile) => {
      const s = new SlotScene(profile, 'pciehp');
      deviceDelByHost(s.k, s.slot);
      return { effects: [], figures: { text: s.k.log.since().at(-1)?.text.replace(/^.*\): /, '') ?? '' } };
    },
  },
  {
    id: 'B 8 pciehp power', says: 'echo 0 > power: accepted, device removed at once, no veto; echo 1 with the card gone: ENODEV', seen: columns('7.2', { effects: ['clean'], figures: { off: 0, devices: 0, on: 'ENODEV' } }),
    run: (profile) => {
      const s = new SlotScene(profile, 'pciehp');
      const off = runStraight(powerStore(s.k, s.slot, 0));
      const { devices } = s;
      s.k.heap.store(s.slot + SLOT.adapter, 0);
      return { effects: devices === 0 ? ['clean'] : [], figures: { off, devices, on: errno(runStraight(powerStore(s.k, s.slot, 1))) } };
    },
  },
  {
    id: 'B 8 acpiphp', says: 'ACPI slot: attention EINVAL; power 1, latch 0, adapter 1 before, 0, 1, 0 after; at once, no line', seen: columns('7.2', { effects: ['clean'], figures: { attention: 'EINVAL', before: '1/1', after: '0/0', latch: 1, lines: 0 } }),
    run: (profile) => {
      const s = new SlotScene(profile, 'acpiphp');
      const before = s.files;
      deviceDelByHost(s.k, s.slot);
      return { effects: s.devices === 0 ? ['clean'] : [], figures: { attention: errno(attentionShow()), before, after: s.files, latch: s.k.heap.load(s.slot + SLOT.latch), lines: s.k.log.since().length } };
    },
  },
];
