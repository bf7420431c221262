/** Unbind, bind, new_id, and the hardware's own ways to leave. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from '../../../../scenario/layout.ts';
import { deviceOf, NotAvailable, type Guest } from '../machine.ts';
import { once, HELPER } from '../once.ts';
import { makeNamespace } from '../setup/namespaces.ts';
import { plugDimm } from '../setup/hardware.ts';
import { blocksIn, blockState, onlineWord, stateFile } from '../setup/system-ram.ts';
import { linkName, namesIn, textOf, waitFor } from '../sysfs.ts';
import { fromOnce, notAvailable, type Seen } from './outcome.ts';

function target(guest: Guest, name: string, driver: string | undefined): { folder: string; word: string } {
  const device = deviceOf(guest, name);
  const used = driver ?? device.driver;
  if (used === undefined) throw new NotAvailable(`${name} has no driver that could be unbound`);
  if (used.startsWith('cxl_') && used !== 'cxl_pci') return { folder: `/sys/bus/cxl/drivers/${used}`, word: device.kernelName ?? '' };
  if (used === 'cxl_pci') return { folder: '/sys/bus/pci/drivers/cxl_pci', word: device.bindName ?? '' };
  return { folder: `/sys/bus/${device.bus}/drivers/${used}`, word: device.bindName ?? '' };
}

export async function unbind(guest: Guest, name: string, driver: string | undefined, deadlineMs: number): Promise<Seen> {
  const { folder, word } = target(guest, name, driver);
  return fromOnce(await once(['write', `${folder}/unbind`, word], deadlineMs));
}

export async function bind(guest: Guest, name: string, driver: string | undefined, deadlineMs: number): Promise<Seen> {
  const { folder, word } = target(guest, name, driver);
  const seen = fromOnce(await once(['write', `${folder}/bind`, word], deadlineMs));
  if (seen.ending === 'returned') await settle(guest, name);
  return seen;
}

/** After a bind the block device may come up a moment later. */
async function settle(guest: Guest, name: string): Promise<void> {
  const block = guest.devices.get(name)?.block?.replace('/dev/', '');
  if (block !== undefined) await waitFor(() => (namesIn('/sys/block').includes(block) ? true : null), 3000);
}

export async function newId(guest: Guest, name: string, driver: 'kmem' | 'device_dax', deadlineMs: number): Promise<Seen> {
  const device = deviceOf(guest, name);
  const word = device.bindName ?? '';
  if (linkName(`/sys/bus/dax/devices/${word}/driver`) !== null) await once(['write', `/sys/bus/dax/devices/${word}/driver/unbind`, word], deadlineMs);
  const seen = fromOnce(await once(['write', `/sys/bus/dax/drivers/${driver}/new_id`, word], deadlineMs));
  const now = linkName(`/sys/bus/dax/devices/${word}/driver`);
  if (now === driver) device.driver = driver;
  return now === driver ? seen : { ...seen, ending: seen.ending === 'returned' ? 'refused' : seen.ending };
}

export async function destroy(guest: Guest, name: string, deadlineMs: number): Promise<Seen> {
  const seen = fromOnce(await once(['destroy-namespace', '-f', deviceOf(guest, name).namespace ?? ''], deadlineMs, 'ndctl'));
  return seen.ending === 'refused' && /resource busy/.test(seen.detail ?? '') ? { ...seen, errno: 'EBUSY' } : seen;
}

export async function create(guest: Guest, name: string): Promise<Seen> {
  const spec = guest.scenario.machine.namespaces.find((n) => n.name === name);
  if (!spec) return notAvailable(`${name} is no declared namespace`);
  return made(guest, spec);
}

/** What ndctl or the kernel refuses is what such a step is about; of what is made for the first time, the bytes that can be used. */
async function made(guest: Guest, spec: Namespace): Promise<Seen> {
  try {
    await makeNamespace(guest, spec);
  } catch (error) {
    return { ending: 'refused', detail: error instanceof Error ? error.message : String(error) };
  }
  if (!spec.later) return { ending: 'returned' };
  const { char, block } = deviceOf(guest, spec.name);
  const size = char === undefined ? Number(textOf(`/sys/class/block/${(block ?? '').replace('/dev/', '')}/size`) ?? 0) * 512 : Number(textOf(`/sys/bus/dax/devices/${char.replace('/dev/', '')}/size`) ?? 0);
  return { ending: 'returned', value: String(size) };
}

export async function plug(guest: Guest, name: string): Promise<Seen> {
  if (guest.scenario.machine.dimms.some((d) => d.name === name)) await plugDimm(guest, name);
  else {
    const answer = await guest.channel.ask({ kind: 'plug', device: name });
    if (!answer.ok) return notAvailable(answer.error ?? 'QEMU refused');
    // The button of a native slot lights for five seconds before anything comes.
    await sleep(8000);
  }
  return { ending: 'returned' };
}

/** Asks the hardware to leave and waits for QEMU's word that it has, or that the guest refused. */
export async function pull(guest: Guest, name: string, deadlineMs: number): Promise<Seen> {
  // What was said when it was plugged is no news.
  await guest.channel.ask({ kind: 'events', device: name });
  const asked = await guest.channel.ask({ kind: 'pull', device: name });
  if (!asked.ok) return notAvailable(asked.error ?? 'QEMU refused');
  const hardware: string[] = [];
  const until = performance.now() + deadlineMs;
  while (performance.now() < until) {
    const answer = await guest.channel.ask({ kind: 'events', device: name });
    if (!answer.ok) return notAvailable(answer.error ?? 'QEMU does not answer');
    hardware.push(...((answer.value ?? []) as string[]));
    if (hardware.includes('DEVICE_DELETED')) return { ending: 'returned', hardware };
    if (hardware.some((e) => e === 'MEM_UNPLUG_ERROR' || e === 'DEVICE_UNPLUG_GUEST_ERROR' || /^OST (?:1|130)$/.test(e))) return { ending: 'refused', hardware };
    await sleep(200);
  }
  return { ending: 'hangs', hardware };
}

export async function resize(guest: Guest, name: string, bytes: number, deadlineMs: number): Promise<Seen> {
  const asked = await guest.channel.ask({ kind: 'resize', device: name, bytes });
  if (!asked.ok) return notAvailable(asked.error ?? 'QEMU refused');
  const until = performance.now() + deadlineMs;
  for (;;) {
    const { value } = await guest.channel.ask({ kind: 'size', device: name });
    const hardware = value === undefined ? [] : [`size ${String(value)}`];
    if (value === bytes) return { ending: 'returned', hardware };
    if (performance.now() > until) return { ending: 'hangs', hardware };
    await sleep(300);
  }
}

export async function slotPower(guest: Guest, name: string, power: 'on' | 'off', deadlineMs: number): Promise<Seen> {
  const address = deviceOf(guest, name).kernelName ?? '';
  const slots = namesIn('/sys/bus/pci/slots');
  const slot = slots.find((s) => textOf(`/sys/bus/pci/slots/${s}/address`) === address);
  if (slot === undefined) return notAvailable(`no slot holds ${address} (slots: ${slots.join(', ')})`);
  const seen = fromOnce(await once(['write', `/sys/bus/pci/slots/${slot}/power`, power === 'on' ? '1' : '0'], deadlineMs));
  return { ...seen, hardware: [`power ${textOf(`/sys/bus/pci/slots/${slot}/power`) ?? '?'}`, `adapter ${textOf(`/sys/bus/pci/slots/${slot}/adapter`) ?? '?'}`] };
}

/** Offline or online: the first block that does not follow ends the step. */
export async function setBlocks(guest: Guest, what: { device: string } | { block: number }, zone: 'movable' | 'kernel' | null, deadlineMs: number): Promise<Seen> {
  const range = 'device' in what ? deviceOf(guest, what.device).range : { start: what.block, end: what.block + 1 };
  const indices = range ? blocksIn(range) : [];
  if (indices.length === 0) return notAvailable('there are no memory blocks');
  const word = zone === null ? 'offline' : onlineWord(zone);
  for (const index of indices) {
    if (zone === null && 'device' in what && blockState(index) === 'offline') continue;
    const seen = fromOnce(await once(['write', stateFile(index), word], deadlineMs, HELPER));
    if (seen.ending !== 'returned') return { ...seen, detail: `memory${index}: ${seen.detail ?? ''}` };
  }
  return { ending: 'returned' };
}
