/**
 * The light at a slot, so that a person finds the card: /sys/bus/pci/slots/N/attention takes 0 (off), 1 (on) and 2
 * (blinking) (drivers/pci/hotplug/pci_hotplug_core.c, 5.10 to 7.2). Nothing else of the slot changes.
 */
import { UnseatError } from '../errors/unseat-error.ts';
import type { Store } from '../host/actions.ts';
import { isMissing, orElse } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import { slotsOf } from '../machine/devices/in-slots.ts';
import type { Machine } from '../machine/machine.ts';
import type { PciSlot } from '../machine/types/bus.ts';
import type { Device } from '../machine/types/device.ts';
import type { Header } from './journal/entries.ts';
import { findJournals, Journal } from './journal/journal.ts';

export interface Light {
  readonly slot: string;
  readonly address: string | null;
  readonly path: string;
  /** What the file reads before: 0 off, 1 on, 2 blinking. */
  readonly was: number;
  /** What is written: `2`, or `0` for off. */
  readonly text: '0' | '2';
}

const DEADLINE_MS = 5_000;

/** The writes that make the slots of `device` blink, or end that. Throws UNSUPPORTED where there is nothing to write to. */
export function lightsOf(machine: Machine, device: Device, on: boolean): Light[] {
  const slots = slotsOf(machine, device);
  if (slots.length === 0) throw new UnseatError('UNSUPPORTED', 'it sits in no slot that this machine shows', { subject: device.name, next: "The slots are under /sys/bus/pci/slots; 'unseat scan' lists those with memory." });
  return slots.map((slot) => light(device, slot, on));
}

function light(device: Device, slot: PciSlot, on: boolean): Light {
  // acpiphp has the file, and answers EINVAL to a read and ENODEV to a write.
  if (slot.attention === null) {
    throw new UnseatError('UNSUPPORTED', `slot ${slot.name} has no light that can be set`, {
      subject: device.name, seen: `${slot.path}/attention cannot be read${slot.driver === 'acpiphp' ? ' (acpiphp answers EINVAL)' : ''}`, next: `Find the card by its address ${slot.address ?? 'in lspci'} and the marks on the machine.`,
    });
  }
  return { slot: slot.name, address: slot.address, path: `${slot.path}/attention`, was: slot.attention, text: on ? '2' : '0' };
}

/**
 * Sets the lights, with a journal while that is under way: after a crash `audit` names it, and `resume` and `rollback` put
 * back what the light was before. What cannot be set is put back at once.
 */
export async function setLights(host: Host, device: Device, lights: readonly Light[]): Promise<void> {
  if (host.actions === undefined) throw new UnseatError('READ_ONLY', 'this machine cannot be changed', { subject: host.label, next: 'Take --dry-run to see what would be written.' });
  const { store } = host.actions;
  const journal = await begun(host, store, device);
  for (const light of lights) await journal.keepSetting(light.path, String(light.was));
  try {
    for (const light of lights) await setLight(host, light);
  } catch (error) {
    if (!(error instanceof UnseatError)) throw error;
    const back = await Promise.all(lights.map((light) => host.actions?.write(light.path, String(light.was), DEADLINE_MS)));
    // Where not even that works the journal stays, for `rollback`.
    if (back.every((r) => r?.ok === true) || error.facts.definite !== false) await journal.remove();
    throw error;
  }
  await journal.remove();
}

/** What was interrupted before knows what the light was at first. */
async function begun(host: Host, store: Store, device: Device): Promise<Journal> {
  const header: Header = {
    entry: 'removal', version: 1, device: `locate:${device.id}`, deviceName: `locate:${device.name}`, way: 'graceful', deviceNumbers: [], kernel: null,
    boot: orElse(host.files.text('/proc/sys/kernel/random/boot_id'), null), begun: orElse(host.time.wall(), null), acceptsUnseen: false, by: null, steps: [],
  };
  const before = findJournals(host).find(({ content }) => content.header.device === header.device);
  return before === undefined ? Journal.begin(store, header) : Journal.continued(store, before.path, before.content);
}

/** Writes, and reads back. Throws READ_ONLY, NO_PERMISSION, WRITE_FAILED. */
export async function setLight(host: Host, light: Light): Promise<void> {
  if (host.actions === undefined) throw new UnseatError('READ_ONLY', 'this machine cannot be changed', { subject: host.label, next: 'Take --dry-run to see what would be written.' });
  const result = await host.actions.write(light.path, light.text, DEADLINE_MS);
  if (!result.ok) {
    const denied = result.errno === 'EACCES' || result.errno === 'EPERM';
    throw new UnseatError(denied ? 'NO_PERMISSION' : 'WRITE_FAILED', `the light of slot ${light.slot} was not set`, {
      subject: light.path, seen: result.errno ?? result.detail ?? 'no reason given', definite: result.definite, next: denied ? 'Run it as root.' : 'This slot has no light that Linux can set.',
    });
  }
  const now = host.files.text(light.path);
  if (isMissing(now) || now.trim() !== light.text) {
    throw new UnseatError('WRITE_FAILED', `slot ${light.slot} took the write and its light did not change`, { subject: light.path, seen: isMissing(now) ? now.missing : now.trim(), next: 'The slot has no attention indicator, or its firmware keeps it.' });
  }
}
