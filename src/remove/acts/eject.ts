/**
 * What came of an eject. The write returns 0 at once whatever happens, and the answer goes to the firmware as _OST, which
 * Linux shows nowhere (KERNEL-TRUTH B 7): the kernel log, the state of the blocks and the device's `status` tell it.
 */
import { isMissing } from '../../host/fact.ts';
import type { StepAction } from '../../steps/step.ts';
import type { Acted, Removal } from '../engine/removal.ts';

/** drivers/acpi/scan.c, acpi_scan_try_to_offline() and acpi_scan_hot_remove(), 5.10 to 7.2. */
const VETO = /Offline failed\.$|Eject incomplete|Eject failed/;

export const isEject = (action: StepAction): boolean => action.kind === 'write' && action.path.endsWith('/eject');

/** Directories of the devices that the plan ejects. */
const ejectedIn = (removal: Removal): string[] => removal.header.steps.flatMap(({ action }) => (action.kind === 'write' && action.path.endsWith('/eject') ? [action.path.slice(0, -6)] : []));

/** The kernel has said no, and will not try again by itself; null where it has not. */
export function ejectVetoed(removal: Removal): string | null {
  if (ejectedIn(removal).length === 0 || removal.logMark === null) return null;
  const lines = removal.host.log.since(removal.logMark);
  const line = isMissing(lines) ? undefined : lines.find((l) => VETO.test(l.text));
  return line === undefined ? null : `the eject was vetoed (_OST 0x82, device busy): the kernel log says "${line.text}"`;
}

/** For an eject that has no answer yet. Empty for all other devices. */
export function ejectUnderWay(removal: Removal, paths: readonly string[]): string {
  if (ejectedIn(removal).length === 0) return '';
  const going = paths.filter((path) => String(removal.host.files.text(`${path}/state`)).trim() === 'going-offline').map((path) => path.split('/').at(-1));
  return going.length === 0 ? '' : `; ${going.join(', ')} going-offline: a page there is pinned, the kernel goes on trying without end (_OST 0x84, in progress), and the eject completes by itself when the pin is dropped`;
}

/** _STA of the ejected devices: 0 is gone. */
export function ejected(removal: Removal): Pick<Acted, 'says'> {
  const says = ejectedIn(removal).map((path) => {
    const status = removal.host.files.text(`${path}/status`);
    return `${path.split('/').at(-1)}: ${isMissing(status) ? 'not there any more' : status.trim() === '0' ? 'ejected (status 0)' : `its memory is out, and its status reads ${status.trim()}`}`;
  });
  return says.length === 0 ? {} : { says: says.join('; ') };
}
