/** The search that bench/holders.ts times, as a process of its own: `node bench/lib/search.ts MAJOR:MINOR who|whole [check]`. Prints JSON. */
import { openLive } from '../../src/host/live/open.ts';
import { findHolders } from '../../src/machine/holders/find-holders.ts';
import type { Note } from '../../src/machine/machine.ts';
import { Reader } from '../../src/machine/reader.ts';
import { readMounts } from '../../src/machine/stack/mounts.ts';
import type { Device } from '../../src/machine/types/device.ts';

const dev = process.argv[2] ?? '';
const started = performance.now();
const host = openLive();
host.processes.expectSearch?.();
const mounts = readMounts(new Reader(host), []);
const mounted = performance.now();
const device: Device = {
  id: 'bench', kind: 'fsdax', name: 'bench', aliases: [], ranges: [], size: 0, use: '', deviceNumbers: [dev], blocks: [], nodes: [], contains: [], partOf: [], driver: null, path: '',
};
const notes: Note[] = [];
const found = findHolders(host, [device], mounts, notes, process.argv[3] === 'whole' ? 'whole' : 'who')['bench'] ?? [];
const done = performance.now();
host.close();
// As fuser prints them: pids. What is found of each is read only where it is checked.
const check = process.argv[4] === 'check';
const processes = found.filter((holder) => holder.kind === 'process').map((holder) => (check ? {
  pid: holder.pid, shares: holder.sharesMemoryWith, mappings: holder.mappings.length, deleted: holder.mappings.some((m) => m.deleted), files: holder.files.length, cwd: holder.cwd !== null, root: holder.root !== null,
} : { pid: holder.pid, shares: holder.sharesMemoryWith }));
console.log(JSON.stringify({
  milliseconds: done - started, mountsMilliseconds: mounted - started, processes,
  namespaces: mounts.filter((mount) => mount.dev === dev).map((mount) => mount.namespaceId), notes: notes.map((note) => note.text),
}));
