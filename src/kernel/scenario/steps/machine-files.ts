/** Files of the simulated machine, device nodes, page flags, and what the tools of a system do that its kernel does not. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { isMissing } from '../../../host/fact.ts';
import { distinctFlags, withNames, withoutNames, type Placeholder } from '../../../scenario/verbs-machine.ts';
import type { StepOf } from '../../../scenario/step.ts';
import { DIMM } from '../../drivers/acpi/memhotplug.ts';
import { deviceData, deviceDriver, deviceName } from '../../drivers/base/bus.ts';
import { MEMDEV } from '../../drivers/cxl/cxl.ts';
import { devDaxOpenCheck } from '../../drivers/dax/bus.ts';
import { slotName } from '../../drivers/pci/slot.ts';
import { kpageflags } from '../../fs/proc/page.ts';
import { rootDirectory } from '../../host/root.ts';
import { SimFiles } from '../../host/sim-files.ts';
import type { Kernel } from '../../kernel.ts';
import { userFolios, userPfn } from '../../mm/ram-user.ts';
import { cxlDisableMemdev, cxlDisableRegion } from '../../setup/cxl.ts';
import { deviceDelByHost } from '../../setup/slot.ts';
import { threads } from '../../threads.ts';
import type { BuiltDevice, BuiltScenario } from '../built.ts';
import { laterFile, regionsOf } from '../later-namespaces.ts';
import { newId, setBlocks } from './drivers.ts';
import { DONE, fromRc, inShell, notAvailable, type Seen } from './outcome.ts';

const PAGE = 4096;

/** What the simulated machine calls a device of the scenario. */
function nameIn(built: BuiltScenario, { device: name, what }: Placeholder): string {
  const { k, pmems, daxes } = built.world;
  const device = built.built.get(name);
  const pmem = pmems.find((p) => p.device === device?.dev) ?? daxes.find((d) => d.device === device?.dev)?.pmem;
  const found = { bus: () => busName(k, device), region: () => pmem?.region ?? regionOf(built, name), number: () => (pmem?.region ?? regionOf(built, name))?.replace('region', ''), namespace: () => pmem?.namespace, block: () => pmems.find((p) => p.device === device?.dev)?.block,
    memdev: () => (device?.memdev === undefined ? undefined : k.names.text(k.heap.load(device.memdev + MEMDEV.name))), cxl: () => built.world.hotplug?.cards.find((c) => c.memdev === device?.memdev)?.regionName,
    slot: () => (device?.slot === undefined ? undefined : slotName(k, device.slot)), acpi: () => busName(k, device), dax: () => daxes.find((d) => d.device === built.devices.get(name))?.name }[what]();
  if (found === undefined) throw unsupported(`a ${what} of ${name}`);
  return found;
}

const busName = (k: Kernel, device: BuiltDevice | undefined): string | undefined =>
  (device === undefined ? undefined : device.dev !== 0 ? deviceName(k, device.dev) : device.dimm !== undefined && device.dimm !== 0 ? k.names.text(k.heap.load(device.dimm + DIMM.name)) : undefined);

/** The region of an NVDIMM or range: that of whatever lies on it. */
function regionOf(built: BuiltScenario, name: string): string | undefined {
  const on = built.scenario.machine.namespaces.find((n) => n.on === name)?.name;
  const device = on === undefined ? undefined : built.built.get(on);
  const placed = [...built.world.pmems, ...built.world.daxes.flatMap((d) => (d.pmem === null ? [] : [{ ...d.pmem, device: d.device }]))].find((p) => p.device === device?.dev)?.region;
  const empty = regionsOf(built).find((r) => r.on === name)?.number;
  return placed ?? (empty === undefined ? undefined : `region${empty}`);
}

const named = (built: BuiltScenario, text: string): string => withNames(text, (place) => nameIn(built, place));
const filesOf = (built: BuiltScenario): SimFiles => new SimFiles(rootDirectory(built.world));

/** A file that the kernel would have and the simulated one has not is said by name; one whose directory is gone is not there. */
function existing(files: SimFiles, path: string): string {
  const above = path.slice(0, path.lastIndexOf('/'));
  if (typeof files.find(path) === 'string' && !isMissing(files.list(above))) throw unsupported(path);
  return path;
}

export function get(built: BuiltScenario, { file, lines }: StepOf<'get'>['argument']): Seen {
  const files = filesOf(built);
  const later = laterFile(built, named(built, file));
  if (later !== null) return typeof later === 'number' ? fromRc(later) : { ending: 'returned', value: later };
  const text = files.text(existing(files, named(built, file)));
  if (typeof text !== 'string') return { ending: 'refused', errno: text.detail ?? 'EIO' };
  const value = lines === undefined ? text.trim() : text.split('\n').filter((line) => new RegExp(lines).test(line)).map((line) => line.trimEnd()).join('\n');
  const called = [...built.built.values()].flatMap((d) => (d.dev === 0 ? [] : [[d.name, deviceName(built.world.k, d.dev)] as const]));
  return { ending: 'returned', value: withoutNames(value, called) };
}

export function put(built: BuiltScenario, { file, text }: StepOf<'put'>['argument']): Seen {
  const files = filesOf(built);
  // There is no pool here: huge pages are made when a process asks for them.
  if (/\/nr_hugepages$/.test(file)) return DONE;
  const later = laterFile(built, named(built, file), named(built, text));
  if (typeof later === 'number') return fromRc(later);
  const path = existing(files, named(built, file));
  const found = files.find(path);
  if (typeof found === 'string') return { ending: 'refused', errno: found };
  const write = found.node.type === 'file' ? found.node.write : undefined;
  if (write === undefined) throw unsupported(`a write to ${path}`);
  const seen = inShell(built.world.k, `sh: ${path}`, (signal) => write(named(built, text), signal), true);
  return seen;
}

export function open(built: BuiltScenario, name: string): Seen {
  const { k } = built.world;
  const dev = built.devices.get(name);
  if (dev === undefined || !built.world.daxes.some((d) => d.device === dev)) throw unsupported(`an open of ${name}`);
  return fromRc(devDaxOpenCheck(k, deviceData(k, dev)));
}

/** What a tool does besides one write is done here as the tool does it; tools that only ask say nothing here. */
export function tool(built: BuiltScenario, words: readonly string[]): Seen {
  const { k } = built.world;
  const [program = '', verb = '', ...args] = words;
  const last = args.at(-1)?.replace(/^\{([a-z0-9-]+)(?:\.[a-z]+)?\}$/, '$1') ?? '';
  const device = built.built.get(last);
  const withoutErrno = ({ errno: _none, ...seen }: Seen): Seen => seen;
  switch (`${program} ${verb}`) {
    case 'cxl disable-memdev': if (device?.memdev !== undefined) return withoutErrno(fromRc(cxlDisableMemdev(k, device.memdev, args.includes('-f')))); break;
    case 'cxl disable-region': { const region = device?.region; if (region !== undefined) return withoutErrno(inShell(k, 'cxl disable-region', () => cxlDisableRegion(k, region, 0))); break; }
    case 'daxctl offline-memory': return withoutErrno(setBlocks(built, { device: last }, null));
    case 'daxctl reconfigure-device': if (args.includes('devdax') && device !== undefined && deviceDriver(k, device.dev) !== 0) return withoutErrno(newId(built, last, 'device_dax')); break;
    default:
  }
  throw unsupported(`the tool ${words.join(' ')}`);
}

/** The image of the kernel takes no memory here. */
export function offlineKernel(): Seen {
  throw unsupported('a memory block with the code of the kernel');
}

export function press(built: BuiltScenario, name: string): Seen {
  const slot = built.built.get(name)?.slot;
  if (slot === undefined) return notAvailable(`no slot holds ${name}`);
  deviceDelByHost(built.world.k, slot);
  threads(built.world.k).pass(1.5);
  return DONE;
}

export function pageFlags(built: BuiltScenario, what: StepOf<'pageFlags'>['argument']): Seen {
  const { k } = built.world;
  return { ending: 'returned', flags: distinctFlags('process' in what ? ofProcess(built, what) : ofRange(k, what.at / PAGE, what.size / PAGE), what) };
}

function* ofProcess(built: BuiltScenario, { process: name, map }: { process: string; map?: string | undefined }): Generator<readonly string[]> {
  const { k } = built.world;
  for (const { spec, user, pages } of built.processes.get(name)?.areas ?? []) {
    if (map !== undefined && spec.name !== map) continue;
    if (user === 0) throw unsupported(`page flags of ${spec.name}, which is no memory of a node`);
    const each = pages / userFolios(k, user);
    for (let slot = 0; slot < userFolios(k, user); slot += 1) yield* ofRange(k, userPfn(k, user, slot), each);
  }
}

function* ofRange(k: Kernel, first: number, count: number): Generator<readonly string[]> {
  for (let pfn = first; pfn < first + count; pfn += 1) {
    const flags = kpageflags(k, pfn);
    yield flags ?? ['EOF'];
    if (flags === null) return;
  }
}

const unsupported = (what: string): UnseatError => new UnseatError('UNSUPPORTED', `the simulated machine does not have ${what}`, { next: 'Run the scenario in the lab, or leave that part out.' });
