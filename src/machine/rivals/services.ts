/** systemd units of ndctl, daxctl and cxl-cli that act on memory devices, and daxctl's configuration for them. Source: ndctl's daxctl/90-daxctl-device.rules, daxctl(1), ndctl-monitor(1). */
import { isMissing } from '../../host/fact.ts';
import type { Reader } from '../reader.ts';
import type { Rival } from '../types/memory.ts';

const UNIT_DIRECTORIES = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

const UNITS: ReadonlyArray<{ readonly unit: string; readonly effect: string; readonly always?: true }> = [
  { unit: 'daxdev-reconfigure@.service', always: true, effect: 'started by udev for each new dax device: daxctl makes it what /etc/daxctl.conf.d says, System RAM for instance' },
  { unit: 'ndctl-monitor.service', effect: 'watches nvdimm health; it only reports' },
  { unit: 'cxl-monitor.service', effect: 'watches CXL events; it only reports' },
];

export function readServices(reader: Reader): Rival[] {
  const found: Rival[] = [];
  for (const { unit, effect, always } of UNITS) {
    const file = UNIT_DIRECTORIES.map((directory) => `${directory}/${unit}`).find((path) => !isMissing(reader.host.files.stat(path)));
    if (file !== undefined && (always || wanted(reader, unit))) found.push({ kind: 'service', where: file, effect });
  }
  for (const directory of ['/etc/daxctl.conf.d', '/usr/share/daxctl/daxctl.conf.d']) {
    for (const name of reader.list(directory).filter((n) => n.endsWith('.conf'))) {
      for (const section of parseDaxctlConfig(reader.text(`${directory}/${name}`) ?? '')) {
        found.push({ kind: 'service', where: `${directory}/${name}`, effect: `daxctl ${section.name}: ${section.settings.join(', ')}` });
      }
    }
  }
  return found;
}

/** Enabled: some target wants it. */
function wanted(reader: Reader, unit: string): boolean {
  const targets = reader.list('/etc/systemd/system').filter((name) => name.endsWith('.wants'));
  return targets.some((target) => reader.list(`/etc/systemd/system/${target}`).includes(unit));
}

/** Sections `[reconfigure-device name]` with their `key = value` lines. */
export function parseDaxctlConfig(text: string): { readonly name: string; readonly settings: string[] }[] {
  const sections: { name: string; settings: string[] }[] = [];
  for (const line of text.split('\n').map((l) => l.trim()).filter((l) => l !== '' && !l.startsWith('#'))) {
    const head = /^\[(.+)\]$/.exec(line);
    if (head) sections.push({ name: head[1]!, settings: [] });
    else sections.at(-1)?.settings.push(line.replace(/\s*=\s*/, '='));
  }
  return sections;
}
