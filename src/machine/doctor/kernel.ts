/** What the kernel is and has. */
import { gunzipSync } from 'node:zlib';
import { isMissing, orElse, type Fact } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { selectProfile } from '../../profile/select.ts';
import { check, checkAbsence, checkFact, checkRelease, type Check } from './check.ts';

export function kernelChecks(host: Host): Check[] {
  return [profile(host), hotplug(host), hotremove(host), wholeDevice(host),
    bus(host, 'nd', 'NVDIMM', ['nd_pmem', 'dax_pmem', 'nfit', 'of_pmem']), bus(host, 'dax', 'DAX', ['device_dax', 'kmem']), bus(host, 'cxl', 'CXL', ['cxl_mem', 'cxl_port', 'cxl_region', 'cxl_pmem']),
    slots(host), taint(host)];
}

function profile(host: Host): Check {
  const release = orElse(host.identity.release, null);
  const selection = selectProfile(release);
  return check('profile', selection.exact ? 'ok' : 'limited', `kernel ${release ?? 'not known'}: ${selection.says}`,
    selection.exact ? 'forecasts were measured on, or read from, this release' : 'forecasts are those of a neighbour: read the sources that plan names');
}

function hotplug(host: Host): Check {
  const path = '/sys/devices/system/memory/block_size_bytes';
  return checkFact('memory-hotplug', host.files.text(path), 'memory used as System RAM cannot be taken offline', (text) => {
    const bytes = Number.parseInt(text, 16);
    return Number.isFinite(bytes) && bytes > 0 ? check('memory-hotplug', 'ok', `memory blocks of ${bytes / 1048576} MiB`, 'System RAM can be taken offline block by block')
      : check('memory-hotplug', 'limited', `${path} reads ${JSON.stringify(text.slice(0, 40))}`, 'the size of memory blocks is not known');
  }, 'whether System RAM can be taken offline is not known');
}

function hotremove(host: Host): Check {
  const wanted = ['MEMORY_HOTREMOVE', 'MEMORY_FAILURE', 'ZONE_DEVICE', 'FS_DAX', 'PROC_PAGE_MONITOR'];
  return checkFact('config', kernelConfig(host), 'what the kernel was built with is not known', (config) => {
    const off = wanted.filter((name) => !new RegExp(`^CONFIG_${name}=[ym]$`, 'm').test(config));
    if (off.length === 0) return check('config', 'ok', `built with ${wanted.join(', ')}`, 'nothing that a removal needs was left out');
    const follows: Readonly<Record<string, string>> = {
      MEMORY_HOTREMOVE: 'memory cannot be removed, only taken offline', MEMORY_FAILURE: 'no memory_failure', ZONE_DEVICE: 'no pmem namespaces with struct pages',
      FS_DAX: 'no file systems with DAX', PROC_PAGE_MONITOR: 'no pagemap and kpageflags',
    };
    return check('config', 'limited', `built without ${off.join(', ')}`, off.map((name) => follows[name]).join('; '));
  });
}

/** A config of more than this many bytes is none. */
const CONFIG_LIMIT = 4 << 20;

function kernelConfig(host: Host): Fact<string> {
  const release = orElse(host.identity.release, '');
  const plain = host.files.text(`/boot/config-${release}`);
  if (!isMissing(plain)) return plain;
  const packed = host.files.read('/proc/config.gz');
  if (isMissing(packed)) return packed.missing === 'absent' || packed.missing === 'not-captured' ? { ...plain, path: `/boot/config-${release} and /proc/config.gz` } : packed;
  try {
    return gunzipSync(packed, { maxOutputLength: CONFIG_LIMIT }).toString('latin1');
  } catch {
    return { missing: 'malformed', path: '/proc/config.gz', detail: 'not gzip' };
  }
}

/** The `state` file of dax devices: seen where there is a device, else by release. */
function wholeDevice(host: Host): Check {
  const withIt = 'memory of a device goes offline as a whole, in one step';
  const without = 'memory of a device goes offline block by block, rolled back when one refuses';
  const devices = orElse(host.files.list('/sys/bus/dax/devices'), []);
  const seen = devices.find((name) => !isMissing(host.files.stat(`/sys/bus/dax/devices/${name}/state`)));
  if (seen !== undefined) return check('whole-device-state', 'ok', `${seen} has a state file`, withIt);
  if (devices.length > 0) return check('whole-device-state', 'limited', `${devices[0]} has no state file`, without);
  return checkRelease(host, 'whole-device-state', [7, 3], 'the state file of dax devices', withIt, without);
}

function bus(host: Host, name: string, title: string, wanted: readonly string[]): Check {
  const path = `/sys/bus/${name}`;
  const devices = host.files.list(`${path}/devices`);
  if (isMissing(devices)) return checkAbsence(`bus-${name}`, devices, 'missing', `no ${title} bus (${path})`, `this kernel has no ${title} devices, or their modules are not loaded`, 'what there is of that kind is not known from its bus');
  const drivers = orElse(host.files.list(`${path}/drivers`), null);
  const loaded = drivers?.filter((driver) => wanted.includes(driver)) ?? [];
  const told = drivers === null ? 'drivers not known' : loaded.length === 0 ? 'none of their drivers loaded' : `drivers ${loaded.join(', ')}`;
  // Seeds, ports and decoders are entries too: the number says only whether there is anything.
  const count = `${devices.length} ${devices.length === 1 ? 'entry' : 'entries'} on the ${title} bus, ${told}`;
  if (devices.length === 0) return check(`bus-${name}`, 'ok', count, 'there is nothing of that kind to remove');
  return check(`bus-${name}`, loaded.length === 0 ? 'limited' : 'ok', count, loaded.length === 0 ? 'devices without a driver are shown, not used by anybody' : 'what can be removed of it is shown by scan');
}

function slots(host: Host): Check {
  const names = host.files.list('/sys/bus/pci/slots');
  const native = !isMissing(host.files.stat('/sys/bus/pci_express/drivers/pciehp'));
  const acpi = !isMissing(host.files.stat('/sys/module/acpiphp'));
  const who = [native ? 'pciehp' : '', acpi ? 'acpiphp' : ''].filter((text) => text !== '').join(' and ');
  if (isMissing(names)) return checkAbsence('slots', names, 'limited', 'no PCI slots (/sys/bus/pci/slots)', 'cards are removed by unbinding their drivers; power and indicator stay as they are', 'whether cards can be powered off is not known');
  if (names.length === 0) return check('slots', 'limited', 'no PCI slot offers hotplug', 'cards are removed by unbinding their drivers; power and indicator stay as they are');
  return check('slots', 'ok', `${names.length} PCI slot${names.length === 1 ? '' : 's'}${who === '' ? '' : `, ${who} there`}`, 'a card can be powered off before it is pulled');
}

/** Bits of /proc/sys/kernel/tainted that make removals doubtful (Documentation/admin-guide/tainted-kernels.rst). */
const TAINTS: readonly (readonly [number, string])[] = [[4, 'a machine check'], [5, 'a bad page'], [7, 'an oops'], [9, 'a warning']];

function taint(host: Host): Check {
  return checkFact('taint', host.files.text('/proc/sys/kernel/tainted'), 'whether the kernel is already damaged is not known', (text) => {
    const bits = Number(text);
    if (!Number.isSafeInteger(bits)) return check('taint', 'unknown', `/proc/sys/kernel/tainted reads ${JSON.stringify(text.slice(0, 40))}`, 'whether the kernel is already damaged is not known');
    const seen = TAINTS.filter(([bit]) => Math.floor(bits / 2 ** bit) % 2 === 1).map(([, what]) => what);
    return seen.length === 0 ? check('taint', 'ok', `the kernel is not damaged (tainted ${bits})`, 'no oops, bad page or machine check since boot')
      : check('taint', 'limited', `since boot there was ${seen.join(', ')} (tainted ${bits})`, 'a removal may meet the damage: run audit, and think of a reboot first');
  });
}
