/** Puts the facets of a capture together. */
import type { ByteString, DeviceNumber, Files, Host, Time } from '../host.ts';
import { isMissing, missing, type Fact } from '../fact.ts';
import { CaptureFiles } from './files.ts';
import { identityOf } from './identity.ts';
import { CaptureLog } from './log.ts';
import { parseDevListing, parseUnreadable } from './listings.ts';
import type { Manifest } from './manifest.ts';
import { MountGroups, type KeptNamespace } from './mounts.ts';
import { CaptureProcesses } from './processes.ts';
import type { Root } from './root.ts';
import { parseSpaces } from './threads-listing.ts';
import { childAt, textAt, type TreeNode } from './tree.ts';

export async function captureHost(archive: string, name: string, at: Root): Promise<Host> {
  const { root, beside, format } = at;
  const manifest = format === 'unseat' ? (await import('./manifest.ts')).parseManifest(archive, textAt(beside, 'manifest.json') ?? '') : null;
  const files = new CaptureFiles({
    evidence: { root, unreadable: parseUnreadable(textAt(beside, 'unreadable.txt') ?? ''), complete: new Set(manifest?.complete ?? []) },
    pageWordDirectories: [childAt(root, 'proc'), beside].filter((node): node is TreeNode => node !== undefined),
    devices: parseDevListing(textAt(beside, 'dev.txt') ?? ''),
  });
  const groups = new MountGroups(files, keptNamespaces(beside));
  const log = textAt(beside, 'kmsg.txt') ?? textAt(beside, 'dmesg.txt') ?? textAt(beside, 'sos_commands/kernel/dmesg');
  const uname = textAt(beside, 'uname.txt') ?? textAt(beside, 'sos_commands/kernel/uname_-a');
  return {
    kind: 'capture',
    label: `capture ${name}`,
    identity: identityOf(files, manifest, uname),
    files,
    processes: new CaptureProcesses(files, groups, deviceNumbers(files), parseSpaces(textAt(beside, 'spaces.jsonl') ?? '')),
    mounts: groups,
    log: new CaptureLog(log),
    time: captureTime(manifest),
    close: () => {},
  };
}

/** Node numbers by path in /dev: from a listing of /dev, else from the `dev` file that sysfs has for the device. */
function deviceNumbers(files: Files): (path: ByteString) => DeviceNumber | undefined {
  const known = new Map<ByteString, DeviceNumber | undefined>();
  return (name) => {
    // A node that was removed and made again keeps its number; a container has its own /dev below another path.
    const path = name.replace(/ \(deleted\)$/, '').replace(/^.*(?=\/dev\/)/, '');
    if (!path.startsWith('/dev/')) return undefined;
    if (!known.has(path)) known.set(path, numberOf(files, path));
    return known.get(path);
  };
}

function numberOf(files: Files, path: ByteString): DeviceNumber | undefined {
  const stat = files.stat(path);
  if (!isMissing(stat) && stat.rdev !== undefined) return stat.rdev;
  const name = path.slice('/dev/'.length);
  if (name.includes('/')) return undefined;
  for (const place of [`/sys/bus/dax/devices/${name}/dev`, `/sys/block/${name}/dev`]) {
    const text = files.text(place);
    if (!isMissing(text) && /^\d+:\d+$/.test(text)) return text;
  }
  return undefined;
}

function keptNamespaces(beside: TreeNode): KeptNamespace[] {
  const directory = childAt(beside, 'mountns');
  return [...(directory?.children() ?? [])].flatMap(([name, node]) => {
    const id = /^(\d+)\.mountinfo$/.exec(name)?.[1];
    const mountinfo = node.data();
    if (id === undefined || typeof mountinfo === 'string') return [];
    return [{ id: Number(id), keptBy: textAt(beside, `mountns/${id}.txt`) ?? '', mountinfo }];
  });
}

/** Time stands still in a capture. */
function captureTime(manifest: Manifest | null): Time {
  const wall: Fact<string> = manifest?.takenAt ?? missing('not-captured', 'manifest.json', 'the capture does not say when it was taken');
  return { now: () => 0, wall: () => wall, sleep: () => Promise.resolve() };
}
