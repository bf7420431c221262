/**
 * Attention buttons that were pressed: pciehp takes the power away five seconds later and asks nobody, and only the
 * kernel log tells of it meanwhile (drivers/pci/hotplug/pciehp_ctrl.c: the texts of 5.10 to 6.1 and those since).
 */
import { isMissing } from '../../host/fact.ts';
import type { LogLine } from '../../host/host.ts';
import type { Reader } from '../reader.ts';
import type { PciSlot, PendingPowerOff } from '../types/bus.ts';

const LINE = /^(?:pcieport \S+: )?pciehp(?::| \S+:) Slot\(([^)]+)\): (.*)$/;
const PRESS = /^(?:Button press: will power off in \d+ sec|Powering off due to button press)$/;
/** A second press, a slot that came or went, a press to switch on: whatever was pending is over. */
const OVER = /cancel|^Card (?:not )?present|^Link (?:Up|Down)|power on|Powering on|^Already/i;
/** Seconds. The five are long over then: a remove that takes its time, or an end that the log does not show. */
const RECENT = 60;

/** Presses that nothing in the log ended, by slot name. `now`: seconds since boot; null where lines have no times. */
export function pendingButtons(lines: readonly LogLine[], now: number | null): Map<string, PendingPowerOff> {
  const pending = new Map<string, PendingPowerOff>();
  for (const { text, seconds } of lines) {
    const [, slot, says] = LINE.exec(text) ?? [];
    if (slot === undefined || says === undefined) continue;
    if (PRESS.test(says)) pending.set(slot, { line: text, secondsAgo: now === null ? null : Math.max(0, now - seconds) });
    else if (OVER.test(says)) pending.delete(slot);
  }
  return new Map([...pending].filter(([, p]) => p.secondsAgo === null || p.secondsAgo <= RECENT));
}

/** The slots, those that are about to lose their power marked and noted. The log is read only where a slot has power. */
export function withButtons(reader: Reader, slots: readonly PciSlot[]): PciSlot[] {
  const powered = (s: PciSlot): boolean => s.driver === 'pciehp' && s.power === true;
  if (!slots.some(powered)) return [...slots];
  const lines = reader.value(reader.host.log.since(-1));
  if (lines === null) return [...slots];
  const pending = pendingButtons(lines, nowOf(reader, lines));
  return slots.map((slot) => {
    const powerOffPending = pending.get(slot.name);
    if (powerOffPending === undefined || !powered(slot)) return slot;
    reader.note('power-off-pending', `The button of slot ${slot.name} was pressed${agoText(powerOffPending)}: it loses its power within 5 seconds of that unless the button is pressed again`, slot.path);
    return { ...slot, powerOffPending };
  });
}

export const agoText = (p: PendingPowerOff): string => (p.secondsAgo === null ? '' : ` ${Math.round(p.secondsAgo)} s ago`);

/** A capture stands still at the end of its log. On a machine that slept, /proc/uptime is ahead of the log's clock. */
function nowOf(reader: Reader, lines: readonly LogLine[]): number | null {
  const last = lines.reduce((most, l) => Math.max(most, l.seconds), 0);
  if (last === 0) return null;
  if (reader.host.kind === 'capture') return last;
  const uptime = reader.host.files.text('/proc/uptime');
  const seconds = isMissing(uptime) ? Number.NaN : Number(uptime.split(' ')[0]);
  return Number.isFinite(seconds) ? Math.max(last, seconds) : last;
}
