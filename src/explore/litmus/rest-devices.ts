/**
 * Whether a device at rest is whole: bound as it was when it was set up, unbound as a plain unbind leaves it. What those
 * look like is recorded from the machine itself and from a twin of it on which one thread did it alone.
 */
import { DEV, deviceData, deviceDriver } from '../../kernel/drivers/base/bus.ts';
import { unbindStore } from '../../kernel/drivers/base/dd.ts';
import { DEVDAX } from '../../kernel/drivers/dax/bus.ts';
import { DAXDEV } from '../../kernel/drivers/dax/super.ts';
import { PMEM } from '../../kernel/drivers/nvdimm/pmem-words.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { pagemapsOf, PGMAP } from '../../kernel/mm/memremap.ts';
import { memmapPresent, PAGE, pageLoad } from '../../kernel/mm/page.ts';
import { run } from '../../kernel/setup/run.ts';
import type { RestCheck } from './at-rest.ts';
import type { DevDaxHandle, PmemHandle } from './machine.ts';
import type { Subjects } from './subjects.ts';
import type { Litmus } from './schema.ts';

type Handle = PmemHandle | DevDaxHandle;
/** Words by name: whether they are zero, or what they hold. */
type Pattern = Readonly<Record<string, number | boolean>>;

/** Words that count or name something and are no state of the device. */
const IGNORED = new Set(['diskGone', 'swap', 'blk', 'disk', 'name', 'kmem', 'kmemType', 'words']);

function patternOf(k: Kernel, device: Handle): Pattern {
  const data = deviceData(k, device.dev);
  const words: Readonly<Record<string, number>> = device.kind === 'pmem' ? PMEM : DEVDAX;
  const pattern: Record<string, number | boolean> = { drvdata: k.heap.load(device.dev + DEV.drvdata) === 0 };
  for (const [name, at] of Object.entries(words)) if (!IGNORED.has(name)) pattern[name] = k.heap.load(data + at) === 0;
  const bound = deviceDriver(k, device.dev) !== 0;
  pattern['struct pages'] = memmapPresent(k, device.range[0] + 32);
  if (!bound) return pattern;
  const [dax, pgmap] = [k.heap.load(data + (device.kind === 'pmem' ? PMEM.dax : DEVDAX.dax)), k.heap.load(data + (device.kind === 'pmem' ? PMEM.pgmap : DEVDAX.pgmap))];
  pattern['dax alive'] = k.heap.load(dax + DAXDEV.flags);
  pattern['dax pages'] = k.heap.load(dax + DAXDEV.pages);
  pattern['dax pagemap'] = k.heap.load(dax + DAXDEV.pgmap) === pgmap;
  for (const word of ['start', 'end', 'data', 'type', 'ops', 'node', 'dying'] as const) pattern[`pagemap ${word}`] = k.heap.load(pgmap + PGMAP[word]);
  for (const word of ['owner', 'altmap'] as const) pattern[`pagemap ${word}`] = k.heap.load(pgmap + PGMAP[word]) === 0;
  pattern['pagemap listed'] = listed(k, pgmap);
  // A page that nobody has touched.
  const idle = device.range[1] - 1;
  pattern['page pagemap'] = pattern['struct pages'] && pageLoad(k, idle, PAGE.pgmap, 'rest') === pgmap;
  for (const word of ['flags', 'links', 'refcount'] as const) pattern[`page ${word}`] = pattern['struct pages'] ? pageLoad(k, idle, PAGE[word], 'rest') : 0;
  return pattern;
}

function listed(k: Kernel, wanted: number): boolean {
  for (let pgmap = k.heap.load(pagemapsOf(k).head); pgmap !== 0; pgmap = k.heap.load(pgmap + PGMAP.next)) if (pgmap === wanted) return true;
  return false;
}

/** The pattern of the device unbound, on a machine where nothing else was done; null where that does not end there. */
function unboundPattern(twin: Subjects['built'], name: string): Pattern | null {
  const device = twin.devices.get(name) as Handle;
  if (deviceDriver(twin.k, device.dev) !== 0) {
    const ran = run(twin.k, unbindStore(twin.k, device.driver, device.dev));
    if (ran.oops !== null || ran.hangs !== null || ran.spins !== null || ran.rc < 0) return null;
  }
  return deviceDriver(twin.k, device.dev) === 0 ? patternOf(twin.k, device) : null;
}

export function deviceWhole(s: Subjects, test: Litmus): RestCheck {
  const named = new Set(Object.values(test.threads).flat().flatMap((line) => /(?:^|= |must )(?:un)?bind ([a-z0-9-]+)/.exec(line)?.[1] ?? []));
  const devices = [...s.built.devices].filter((d): d is [string, Handle] => (d[1].kind === 'pmem' || d[1].kind === 'devdax') && named.has(d[0]));
  if (devices.length === 0) return () => null;
  // Where ranges share a section or overlap, struct pages are there for the other's sake.
  const shared = Object.values(test.machine.pmem).some((p) => p.after !== undefined) || Object.values(test.machine.ram).some((r) => r.over !== undefined);
  const expected = devices.map(([name, device]) => ({
    name, device, bound: deviceDriver(s.built.k, device.dev) === 0 ? null : patternOf(s.built.k, device), unbound: unboundPattern(s.twin(), name),
  }));
  return (k) => {
    for (const { name, device, bound, unbound } of expected) {
      const isBound = deviceDriver(k, device.dev) !== 0;
      const wanted = isBound ? bound : unbound;
      if (wanted === null) continue;
      const is = patternOf(k, device);
      const wrong = Object.keys(wanted).find((word) => wanted[word] !== is[word] && !(shared && word === 'struct pages'));
      if (wrong !== undefined) return `${name} is ${isBound ? 'bound' : 'unbound'}, and ${wrong} is not as it should be`;
    }
    return null;
  };
}
