/** What is there: /proc/iomem in the devices' ranges, memory blocks, mounts, drivers. */
import { busDevices, deviceBus, deviceDriver, driverCore } from '../../drivers/base/bus.ts';
import { blockState, MEM_NAMES } from '../../drivers/base/memory.ts';
import { iomemText } from '../../resource.ts';
import { blocksOf } from '../build-memory.ts';
import type { BuiltDevice, BuiltScenario } from '../built.ts';
import type { Seen } from './outcome.ts';

type Thing = 'iomem' | 'blocks' | 'mounts' | 'device';

export function look(built: BuiltScenario, things: readonly Thing[]): Seen {
  const { k, mounts } = built.world;
  const devices = [...built.built.values()];
  const ranges = devices.flatMap((d) => (d.range === null ? [] : [d.range]));
  const seen: { -readonly [K in keyof Seen]: Seen[K] } = { ending: 'returned' };
  if (things.includes('iomem')) {
    seen.iomem = iomemText(k).split('\n').flatMap((line) => {
      const m = /^\s*([0-9a-f]+)-[0-9a-f]+ : (.*)$/.exec(line);
      const start = Number.parseInt(m?.[1] ?? '', 16);
      return m !== null && ranges.some((r) => start >= r.start && start < r.end) ? [m[2] as string] : [];
    });
  }
  if (things.includes('blocks')) seen.blocks = [...new Set(ranges.flatMap((r) => blocksOf(k, r)))].sort((a, b) => a - b).map((id) => MEM_NAMES[blockState(k, id)] as string);
  if (things.includes('mounts')) {
    const points = new Set(mounts.all().map((m) => m.point));
    seen.mounts = built.scenario.filesystems.filter((f) => points.has(f.at)).map((f) => f.at);
  }
  if (things.includes('device')) seen.devices = Object.fromEntries(devices.map((d) => [d.name, stateOf(built, d)]));
  return seen as Seen;
}

function stateOf(built: BuiltScenario, device: BuiltDevice): string {
  const { k } = built.world;
  if (device.dev === 0) return 'no driver';
  // A device that was deleted is on no bus.
  const bus = deviceBus(k, device.dev) as { readonly name: string } | undefined;
  if (bus === undefined || !busDevices(k, bus.name).includes(device.dev)) return 'absent';
  const driver = deviceDriver(k, device.dev);
  return driver === 0 ? 'no driver' : `driver ${driverCore(k).driver(driver).name}`;
}
