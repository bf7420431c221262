/** What can be seen of a device from outside: address map, memory blocks, mounts, drivers. */
import type { Guest } from '../machine.ts';
import { blocksIn, blockState } from '../setup/system-ram.ts';
import { iomem, linkName, namesIn, textOf } from '../sysfs.ts';
import type { Seen } from './outcome.ts';

type Thing = 'iomem' | 'blocks' | 'mounts' | 'device';

export function look(guest: Guest, things: readonly Thing[]): Seen {
  const ranges = [...guest.devices.values()].flatMap((d) => (d.range ? [d.range] : []));
  const inside = (start: number): boolean => ranges.some((r) => start >= r.start && start < r.end);
  const seen: { -readonly [K in keyof Seen]: Seen[K] } = { ending: 'returned' };
  if (things.includes('iomem')) seen.iomem = iomem().filter((line) => inside(line.start)).map((line) => line.name);
  if (things.includes('blocks')) seen.blocks = [...new Set(ranges.flatMap((r) => blocksIn(r)))].sort((a, b) => a - b).map(blockState);
  if (things.includes('mounts')) {
    const mounted = new Set((textOf('/proc/self/mounts') ?? '').split('\n').map((line) => line.split(' ').slice(1, 3).join(' ')));
    seen.mounts = guest.scenario.filesystems.filter((f) => mounted.has(`${f.at} ${f.type}`)).map((f) => f.at);
  }
  if (things.includes('device')) seen.devices = Object.fromEntries([...guest.devices.values()].map((d) => [d.name, deviceState(d)]));
  return seen as Seen;
}

function deviceState(d: { bus?: string; bindName?: string }): string {
  if (d.bus === undefined || d.bindName === undefined) return 'no driver';
  if (!namesIn(`/sys/bus/${d.bus}/devices`).includes(d.bindName)) return 'absent';
  const driver = linkName(`/sys/bus/${d.bus}/devices/${d.bindName}/driver`);
  return driver === null ? 'no driver' : `driver ${driver}`;
}
