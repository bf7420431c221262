/** Who holds the device now, processes only; the same search that the inventory makes. */
import type { Host } from '../../host/host.ts';
import { displayName } from '../../host/names.ts';
import type { ProcessRef } from '../../host/actions.ts';
import type { Note } from '../../machine/machine.ts';
import { findHolders } from '../../machine/holders/find-holders.ts';
import type { Device } from '../../machine/types/device.ts';
import type { ProcessHolder } from '../../machine/types/holder.ts';

export interface HoldersNow {
  readonly holders: readonly ProcessHolder[];
  /** Why the answer may be incomplete. */
  readonly unseen: readonly string[];
}

export function holdersNow(host: Host, devices: ReadonlySet<string>): HoldersNow {
  const notes: Note[] = [];
  const device: Device = {
    id: 'removed', kind: 'unbound', name: 'removed', aliases: [], ranges: [], size: 0, use: '', deviceNumbers: [...devices], blocks: [], nodes: [],
    contains: [], partOf: [], driver: null, path: '',
  };
  if (devices.size === 0) return { holders: [], unseen: [] };
  const found = findHolders(host, [device], [], notes, 'who')['removed'] ?? [];
  const unseen = notes.filter((n) => n.absence !== undefined && n.absence.missing !== 'vanished').map((n) => n.text);
  return { holders: found.filter((h) => h.kind === 'process'), unseen };
}

export const refOf = (p: ProcessHolder): ProcessRef => ({ pid: p.pid, startTime: p.startTime ?? -1 });

export const nameOf = (p: ProcessHolder): string => `pid ${p.pid} (${displayName(p.comm)})`;

export function whatItHolds(p: ProcessHolder): string {
  const parts = [
    p.mappings.length > 0 ? `${p.mappings.length} mapping(s)` : '',
    p.files.length > 0 ? `${p.files.length} open file(s)` : '',
    p.cwd !== null ? 'its working directory' : '',
    p.root !== null ? 'its root directory' : '',
    p.exe !== null ? 'its program file' : '',
    ...p.pins.filter((pin) => pin.certainty === 'seen').map((pin) => `a pin (${pin.evidence})`),
  ];
  return parts.filter((part) => part !== '').join(', ');
}
