/** What cannot be put back from here, for good: said once, with who can, instead of being tried for ever. */
import { displayName } from '../../host/names.ts';
import type { StepAction } from '../../steps/step.ts';
import { driverOf } from '../acts/dax-driver.ts';
import type { JournalContent } from '../journal/entries.ts';
import type { Removal } from './removal.ts';
import type { Performed } from './step.ts';
import type { UndoReport } from './undo.ts';

/** Null where the undo worked, or may work when it is tried again. */
export function whatStays(removal: Removal, undo: StepAction, { outcome, says, errno, gone }: Performed): string | null {
  if (undo.kind !== 'write') return null;
  if (gone === true) return isBlock(undo.path) ? `${says ?? undo.path}: its device has left; the block comes back with it` : (says ?? `${undo.path} is not there any more`);
  if (outcome !== 'failed') return null;
  const [, bus, driver] = /^\/sys\/bus\/([^/]+)\/drivers\/([^/]+)\/bind$/.exec(undo.path) ?? [];
  const other = bus === undefined ? null : driverOf(removal.host, bus, undo.text);
  if (other !== null) return `${undo.text} is bound to ${other} now, not to ${driver}${bus === 'dax' ? ` (daxctl reconfigure-device --mode=${driver === 'kmem' ? 'system-ram' : 'devdax'} ${undo.text})` : ''}`;
  if (undo.path.endsWith('/commit') && errno === 'ENXIO') return `${undo.path.split('/').at(-2)} has lost its targets with the card: make it anew (cxl destroy-region, cxl create-region)`;
  if (errno === 'ENODEV' || errno === 'ENXIO') return `${undo.text} has not come back (${errno})`;
  return null;
}

const isBlock = (path: string): boolean => /\/memory\d+\/state$/.test(path);

/** Steps of an interrupted removal that were done and that nothing puts back. */
export function doneForGood({ header, entries }: JournalContent): UndoReport[] {
  const done = new Set(entries.flatMap((e) => (e.entry === 'end' && (e.outcome === 'done' || e.outcome === 'unknown') ? [e.step] : [])));
  return header.steps.flatMap(({ id, title, action, undo }) => {
    const says = undo === null && done.has(id) ? forGood(action) : null;
    return says === null ? [] : [{ id, title, ok: false, says, stays: true }];
  });
}

function forGood(action: StepAction): string | null {
  switch (action.kind) {
    case 'unmount': return `mount it again at ${displayName(action.mountPoint)}`;
    case 'detach-process': return `pid ${action.process.pid} goes on without the device`;
    case 'memory-failure': return `pid ${action.process.pid} was sent SIGBUS for its pages`;
    case 'signal-process': return `pid ${action.process.pid} has ended`;
    case 'stop-unit': return `systemctl start ${action.unit}`;
    case 'swap-off': return `swapon ${displayName(action.path)}`;
    case 'deactivate': return `set ${action.block} up again`;
    case 'shutdown-filesystem': return `unmount and mount ${displayName(action.mountPoint)} to use it again`;
    case 'write': return action.path.endsWith('/eject') ? 'the device was ejected: a person puts it back' : null;
    default: return null;
  }
}
