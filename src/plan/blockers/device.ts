/** Blockers that lie with the device: its driver, its slot, its decoders, what describes it, what cannot be seen. */
import { displayName } from '../../host/names.ts';
import { agoText } from '../../machine/bus/buttons.ts';
import { slotsOf } from '../../machine/devices/in-slots.ts';
import { valueOf } from '../../profile/build.ts';
import { formatBytes } from '../../range/units.ts';
import type { Blocker } from '../../steps/reason.ts';
import type { PlanContext } from '../context.ts';

export function deviceBlockers(c: PlanContext): Blocker[] {
  return [...hidden(c), ...noDriver(c), ...memmap(c), ...swap(c), ...stack(c), ...rootMount(c), ...virtio(c), ...kmem(c), ...slot(c), ...button(c), ...decoders(c), ...dimm(c)];
}

const refuse = (reason: Blocker['reason'], subject: string, text: string, next: string): Blocker => ({ reason, subject, text, next, overcomeBy: [] });

function hidden(c: PlanContext): Blocker[] {
  const reasons = [...new Set(c.leaves.map((l) => l.blind).filter((b) => b !== null))];
  const list = reasons.map((text) => refuse('hidden', c.device.name, text, c.machine.host.kind === 'capture' ? 'Take a capture as root, or plan on the machine itself.' : 'Run as root.'));
  if (c.machine.addressMap.hidden) list.push(refuse('hidden', '/proc/iomem', 'the kernel shows no physical addresses to this user, so it could not be confirmed that the memory is gone', 'Run as root.'));
  return list;
}

function noDriver(c: PlanContext): Blocker[] {
  const [only] = c.leaves;
  if (c.containers.length > 0 || c.leaves.length !== 1 || only === undefined || only.device.kind !== 'unbound') return [];
  return [refuse('no-driver', only.device.name, `no driver is bound to ${only.device.name}: nothing of it is in use`, 'There is nothing to unbind; its namespace or region can be destroyed with ndctl, daxctl or cxl.')];
}

const memmap = (c: PlanContext): Blocker[] => c.leaves.flatMap((l) => l.memmaps.map((m) =>
  refuse('held-by-memmap', m.describes, `the struct pages of ${m.describes} live on ${l.device.name}`, `Remove ${m.describes} first.`)));

function swap(c: PlanContext): Blocker[] {
  const available = (c.machine.memory.availableBytes ?? 0) + (c.machine.memory.swapFreeBytes ?? 0);
  return c.leaves.flatMap((l) => l.swaps).filter((s) => s.usedBytes > available).map((s) =>
    refuse('memory-no-room', displayName(s.path), `${formatBytes(s.usedBytes)} are swapped out to it and only ${formatBytes(available)} are available to take them back`, 'Free memory or add other swap first.'));
}

/** Stacked devices that a plain command takes apart; the rest must be taken apart by whoever made it. */
const APART = /^(dm-|loop|md)/;
const stack = (c: PlanContext): Blocker[] => c.leaves.flatMap((l) => l.stack).filter((s) => !APART.test(s.block) && !/partition/.test(s.what)).map((s) => ({
  reason: 'held-by-stack' as const, subject: s.block, text: `${s.block} (${displayName(s.what)}) is stacked on the device`, next: `Take ${s.block} apart first.`, overcomeBy: [],
}));

const rootMount = (c: PlanContext): Blocker[] => c.mounts.filter((m) => m.mountPoint === '/').slice(0, 1).map((m) =>
  refuse('held-by-mount', `/ in mount namespace ${m.namespaceId}`, `the root file system (${m.fsType}) lies on the device`, 'A root file system cannot be unmounted; boot from another device.'));

function virtio(c: PlanContext): Blocker[] {
  return c.leaves.filter((l) => l.device.kind === 'virtio-mem' && l.device.blocks.length > 0).map((l) =>
    refuse('not-removable', l.device.name, `a virtio-mem device shrinks at the request of its host, and its driver must not be unbound: ${formatBytes(l.device.blocks.length * (c.machine.memory.blockSize ?? 0))} are plugged and it could not be bound again before a reboot`,
      'On the host: virsh update-memory-device DOMAIN --requested-size 0 (QEMU: qom-set ID requested-size 0). A pin keeps only its own sub-block; the rest goes.'));
}

const kmem = (c: PlanContext): Blocker[] => (valueOf(c.profile, 'ram.kmem-remove') !== 'none' ? [] : c.leaves.filter((l) => l.device.kind === 'kmem').map((l) =>
  refuse('not-removable', l.device.name, `this kernel's kmem never gives memory back: ${l.device.name} stays claimed after an unbind`, 'Its blocks can be offlined; the range comes back with a reboot or a newer kernel (5.3).')));

function slot(c: PlanContext): Blocker[] {
  return c.containers.filter((d) => d.kind === 'pci-slot').flatMap((d) => {
    const found = c.machine.slots.find((s) => s.path === d.path);
    return found?.power === null || found === undefined ? [refuse('not-removable', d.name, 'the slot has no power control that this host shows', 'Take the device out with the machine switched off.')] : [];
  });
}

/** What the kernel begins in seconds asks nobody and would cut into our own steps. */
const button = (c: PlanContext): Blocker[] => [...new Set([c.device, ...c.leaves.map((l) => l.device)].flatMap((d) => slotsOf(c.machine, d)))].flatMap((s) => (s.powerOffPending === undefined ? [] : [
  refuse('power-off-pending', `slot ${s.name}`, `the attention button of slot ${s.name} was pressed${agoText(s.powerOffPending)}: the kernel takes the card's power away 5 seconds after the press, whoever uses it ("${s.powerOffPending.line}")`,
    'Press the button again within the 5 seconds to cancel, then plan again.'),
]));

/** The region's own decoders: a locked one cannot be reset, so its range stays. */
function decoders(c: PlanContext): Blocker[] {
  const regions = c.containers.filter((d) => d.kind === 'cxl-region').map((d) => d.name);
  return c.machine.cxl.ports.flatMap((p) => p.decoders).filter((d) => d.locked === true && d.kind !== 'root' && d.region !== null && regions.includes(d.region)).map((d) =>
    refuse('decoder-locked', d.name, `${d.name}, which serves ${d.region}, was locked by firmware`, 'Change the firmware setup of the CXL window; Linux cannot undo it.'));
}

const dimm = (c: PlanContext): Blocker[] => c.leaves.filter((l) => l.device.kind === 'dimm').flatMap((l) => {
  const found = c.machine.dimms.find((d) => d.name === l.device.name);
  return found?.ejectable === false ? [refuse('not-removable', l.device.name, 'the firmware offers no eject for this device', 'Offline its blocks instead; the DIMM stays in place.')] : [];
});
