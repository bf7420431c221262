/** systemd units of ndctl, daxctl and cxl-cli that act on memory devices, and daxctl's configuration for them. Source: ndctl's daxctl/90-daxctl-device.rules, daxctl(1), ndctl-monitor(1). */
import { isMissing } from '../../host/fact.ts';
import type { Reader } from '../reader.ts';
import type { Rival } from '../types/memory.ts';

const UNIT_DIRECTORIES = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/** Units that make changes by themselves. ndctl-monitor and cxl-monitor only report and are no rivals. */
const UNITS: ReadonlyArray<{ readonly unit: string; readonly effect: string }> = [
  { unit: 'daxdev-reconfigure@.service', effect: 'started by udev for each new dax device: daxctl makes it what /etc/daxctl.conf.d says, System RAM for instance' },
];

export function readServices(reader: Reader): Rival[] {
  const found: Rival[] = [];
  for (const { unit, effect } of UNITS) {
    const file = UNIT_DIRECTORIES.map((directory) => `${directory}/${unit}`).find((path) => !isMissing(reader.host.files.stat(path)));
    if (file !== undefined) found.push({ kind: 'service', where: file, effect });
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
