/** Takes a capture of any host into an archive. */
import { isMissing, orElse } from '../../fact.ts';
import type { Host } from '../../host.ts';
import type { EntrySink } from '../archive-writer.ts';
import { MANIFEST_FORMAT, MANIFEST_VERSION, type Manifest } from '../manifest.ts';
import { Disguise } from './disguise.ts';
import { takePagemap, type HeldRange } from './pagemap.ts';
import { takeProcesses } from './processes.ts';
import { ADDED_RAM, BLOCK_LISTS, CGROUP_FILES, CGROUP_ROOT, FLAT_BUSES, MODULES, PAGE_FILES, PROC_FILES, SINGLE_FILES, TREES, WHOLE_BUSES } from './subjects.ts';
import { Taker } from './taker.ts';

export interface TakeOptions {
  readonly tool: string;
  readonly command: string;
  readonly anonymize: boolean;
  /** Mappings of devices that exist, whose page table entries are taken too. None without the user asking for it. */
  readonly pagemaps?: readonly HeldRange[];
  readonly progress?: (done: number, path: string) => void;
}

export interface Taken {
  readonly manifest: Manifest;
  /** Files that exist and could not be read. */
  readonly unreadable: number;
}

export async function take(host: Host, sink: EntrySink, options: TakeOptions): Promise<Taken> {
  const taker = new Taker(host, sink, new Disguise(options.anonymize, hostNameOf(host)), options.progress ?? (() => {}));
  const leftOut: Manifest['leftOut'] = [{ what: 'environment variables, file contents, memory, pagemap and smaps of processes', why: 'not needed, private, or unsafe to read (pagemap of mappings of devices: see --pagemap)' }];
  for (const path of [...PROC_FILES, ...SINGLE_FILES]) await taker.file(path);
  for (const path of TREES) await taker.tree(path, true);
  await takeWants(taker);
  await takeBuses(taker);
  await takeBlockDevices(taker);
  await takeModules(taker);
  await takeCgroups(taker, CGROUP_ROOT);
  await takePages(taker, leftOut);
  await takeProcesses(taker, leftOut);
  for (const range of options.pagemaps ?? []) await takePagemap(taker, range, leftOut);
  await takeLog(taker, leftOut);
  const manifest = manifestOf(host, taker, options, leftOut);
  await taker.made('unreadable.txt', `${taker.unreadable.join('\n')}\n`);
  await taker.made('manifest.json', Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`, 'utf8'));
  return { manifest, unreadable: taker.unreadable.filter((line) => !line.endsWith(' left-out')).length };
}

function manifestOf(host: Host, taker: Taker, options: TakeOptions, leftOut: Manifest['leftOut']): Manifest {
  const { identity } = host;
  const capabilities = identity.capabilities;
  return {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    tool: options.tool,
    command: options.anonymize ? null : options.command,
    takenAt: orElse(host.time.wall(), null),
    host: options.anonymize ? 'host' : host.label,
    kind: host.kind,
    release: orElse(identity.release, null),
    kernelVersion: orElse(identity.version, null),
    arch: orElse(identity.arch, null),
    pageSize: orElse(identity.pageSize, null),
    uid: orElse(identity.uid, null),
    capabilities: isMissing(capabilities) ? null : [capabilities[0], capabilities[1]],
    anonymized: options.anonymize,
    complete: taker.complete,
    leftOut,
  };
}

function hostNameOf(host: Host): string | null {
  const name = host.files.text('/proc/sys/kernel/hostname');
  return isMissing(name) || name === '' || name === '(none)' || name === 'localhost' ? null : name;
}

const names = (taker: Taker, path: string): readonly string[] => orElse(taker.host.files.list(path), []);

/** A list of links to devices; returns the directories that they lead to. */
async function takeLinks(taker: Taker, path: string): Promise<string[]> {
  await taker.tree(path, false);
  return names(taker, path).flatMap((name) => {
    const real = taker.host.files.resolve(`${path}/${name}`);
    return isMissing(real) || !real.startsWith('/sys/devices/') ? [] : [real];
  });
}

async function takeBuses(taker: Taker): Promise<void> {
  for (const bus of WHOLE_BUSES) {
    const devices = await takeLinks(taker, `/sys/bus/${bus}/devices`);
    await taker.tree(`/sys/bus/${bus}/drivers`, true);
    await taker.tree(`/sys/bus/${bus}`, false, (name) => name !== 'devices' && name !== 'drivers');
    for (const device of devices) await taker.tree(device, true);
  }
  for (const { bus, devices: wanted } of FLAT_BUSES) {
    for (const device of await takeLinks(taker, `/sys/bus/${bus}/devices`)) {
      if (wanted.test(device.slice(device.lastIndexOf('/') + 1))) await taker.tree(device, false);
    }
  }
}

async function takeBlockDevices(taker: Taker): Promise<void> {
  for (const list of BLOCK_LISTS) for (const device of await takeLinks(taker, list)) await taker.tree(device, true);
}

async function takeModules(taker: Taker): Promise<void> {
  for (const module of names(taker, '/sys/module').filter((name) => MODULES.test(name))) await taker.tree(`/sys/module/${module}`, true);
}

/** Which units are wanted by targets: links only. */
async function takeWants(taker: Taker): Promise<void> {
  for (const target of names(taker, '/etc/systemd/system').filter((name) => name.endsWith('.wants'))) {
    for (const unit of names(taker, `/etc/systemd/system/${target}`)) await taker.link(`/etc/systemd/system/${target}/${unit}`);
  }
}

async function takeCgroups(taker: Taker, path: string): Promise<void> {
  const found = names(taker, path);
  if (!found.includes('cgroup.procs')) return;
  for (const name of found) {
    if (CGROUP_FILES.test(name)) await taker.file(`${path}/${name}`);
    else if (!/^[a-z]+\.[a-z._0-9]+$/.test(name) || name.endsWith('.slice')) await takeCgroups(taker, `${path}/${name}`);
  }
}

/** Bytes of words of one file: 64 GiB of memory in pages of 4 KiB. */
const MOST_WORDS = 128 * 1024 * 1024;

async function takePages(taker: Taker, leftOut: Manifest['leftOut']): Promise<void> {
  const iomem = taker.host.files.text('/proc/iomem');
  const pageSize = orElse(taker.host.identity.pageSize, 4096);
  for (const [, from, to, driver] of isMissing(iomem) ? [] : iomem.matchAll(ADDED_RAM)) {
    const start = parseInt(from as string, 16);
    const first = start / pageSize;
    const bytes = ((parseInt(to as string, 16) + 1 - start) / pageSize) * 8;
    if (!Number.isInteger(first) || bytes > MOST_WORDS) {
      leftOut.push({ what: `page flags of ${from}-${to}`, why: `System RAM (${driver}) of more than ${MOST_WORDS / 8} pages` });
      continue;
    }
    for (const path of PAGE_FILES) await takeWords(taker, path, first, bytes);
  }
}

async function takeWords(taker: Taker, path: string, first: number, bytes: number): Promise<void> {
  const words = new Uint8Array(bytes);
  let got = 0;
  while (got < bytes) {
    const count = taker.host.files.readAt(path, first * 8 + got, words.subarray(got, Math.min(bytes, got + 512 * 1024)));
    if (isMissing(count) && got === 0) return;
    if (isMissing(count) || count === 0) break;
    got += count;
  }
  await taker.made(`root${path}-0x${first.toString(16)}.bin`, words.subarray(0, got));
}

async function takeLog(taker: Taker, leftOut: Manifest['leftOut']): Promise<void> {
  const lines = taker.host.log.since(-1);
  if (isMissing(lines)) {
    leftOut.push({ what: 'the kernel log', why: `${lines.missing}${lines.detail === undefined ? '' : ` (${lines.detail})`}` });
    return;
  }
  const escaped = (text: string): string => text.replace(/[\\\u0000-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const records = lines.map((line) => `${line.level},${line.sequence},${Math.round(line.seconds * 1e6)},-;${escaped(line.text)}\n`).join('');
  await taker.made('kmsg.txt', taker.disguise.content('/dev/kmsg', Buffer.from(records, 'utf8')));
}
