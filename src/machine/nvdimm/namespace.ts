/** Namespaces of an nvdimm region, in every mode. Source: drivers/nvdimm/namespace_devs.c, claim.c; ndctl's words for the modes. */
import { isMissing } from '../../host/fact.ts';
import type { PhysRange } from '../../range/phys-range.ts';
import type { Reader } from '../reader.ts';
import type { NamespaceMode, NvdimmNamespace } from '../types/nvdimm.ts';
import { parseBadblocks } from './badblocks.ts';
import { chosen, CLAIMED_MODE, rangeOf, readClaimants, type Claimant } from './claimant.ts';

/** The kernel's `mode` words (namespace_devs.c, mode_show()): `memory` is pfn or a raw one with struct pages, `safe` is btt. */
const MODES: Readonly<Record<string, NamespaceMode>> = { raw: 'raw', memory: 'fsdax', dax: 'devdax', safe: 'sector' };

export function readNamespaces(reader: Reader, region: string, regionName: string): NvdimmNamespace[] {
  const claimants = readClaimants(reader, region);
  const seed = reader.text(`${region}/namespace_seed`);
  const there = reader.list(region).filter((name) => /^namespace\d+\.\d+$/.test(name));
  const namespaces = there.map((name) => readNamespace(reader, region, regionName, name, claimants.find((c) => c.namespace === name) ?? null))
    // The seed is an empty slot for the next namespace to be created, not memory.
    .filter((n) => (n.size ?? 0) > 0 || (n.name !== seed && n.size === null));
  const orphans = claimants.filter((c) => !there.includes(c.namespace));
  if (orphans.length > 0) reader.note('not-captured', `Of ${regionName}, ${orphans.map((c) => `${c.namespace} (by ${c.name})`).join(', ')} are known only by what claims them`, region);
  return [...namespaces, ...orphans.map((c) => fromClaimant(reader, regionName, c))].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function readNamespace(reader: Reader, region: string, regionName: string, name: string, claimant: Claimant | null): NvdimmNamespace {
  const path = `${region}/${name}`;
  const size = reader.unsigned(`${path}/size`);
  const word = reader.text(`${path}/mode`);
  const bind = claimant ?? { path, name };
  return {
    name,
    region: regionName,
    // A namespace without claimant is raw, whatever `mode` says: with struct pages (legacy pmem) it says `memory`.
    mode: claimant ? CLAIMED_MODE[claimant.kind] : word !== null && word !== 'memory' ? (MODES[word] ?? 'unknown') : rawMode(reader, path, word),
    memmap: claimant ? claimant.memmap : word === 'memory' ? 'mem' : 'none',
    range: rangeOf(reader.unsigned(`${path}/resource`), size),
    size,
    dataRange: claimant?.dataRange ?? null,
    path,
    uuid: reader.text(`${path}/uuid`) || null,
    sectorSize: claimant?.sectorSize ?? chosen(reader.text(`${path}/sector_size`)),
    align: claimant?.align ?? null,
    holder: claimant?.name ?? null,
    bindName: bind.name,
    driver: claimant ? claimant.driver : reader.linkName(`${path}/driver`),
    block: reader.list(`${bind.path}/block`)[0] ?? null,
    chardev: claimant?.kind === 'dax' ? chardevOf(reader, claimant.path) : null,
    numaNode: reader.integer(`${path}/numa_node`),
    badblocks: readBadblocks(reader, path, region),
  };
}

/** `memory` without a claimant: nd_pmem put struct pages under the raw namespace (e820, and NFIT without labels), so it can be mounted with DAX. */
function rawMode(reader: Reader, path: string, word: string | null): NamespaceMode {
  if (word === null) return reader.linkName(`${path}/driver`) === null ? 'unknown' : 'raw';
  return 'fsdax';
}

function fromClaimant(reader: Reader, regionName: string, c: Claimant): NvdimmNamespace {
  return {
    name: c.namespace, region: regionName, mode: CLAIMED_MODE[c.kind], memmap: c.memmap, range: null, size: c.size, dataRange: c.dataRange, path: null,
    uuid: null, sectorSize: c.sectorSize, align: c.align, holder: c.name, bindName: c.name, driver: c.driver,
    block: reader.list(`${c.path}/block`)[0] ?? null,
    chardev: c.kind === 'dax' ? chardevOf(reader, c.path) : null,
    numaNode: c.numaNode, badblocks: [],
  };
}

/** The dax-bus device below an nd dax device; its number need not be the same (`dax0.0` may carry `dax0.3`). */
function chardevOf(reader: Reader, path: string): string | null {
  return reader.list(path).find((name) => /^dax\d+\.\d+$/.test(name) && !isMissing(reader.host.files.stat(`${path}/${name}/size`))) ?? null;
}

/** Relative to the start of the namespace. The namespace has its own list only while a block device is there; the region's is cut to it. */
function readBadblocks(reader: Reader, path: string, region: string): PhysRange[] {
  const own = bad(reader, `${path}/badblocks`);
  if (own !== null) return own;
  const start = reader.unsigned(`${path}/resource`);
  const size = reader.unsigned(`${path}/size`);
  const base = reader.unsigned(`${region}/resource`);
  const all = bad(reader, `${region}/badblocks`);
  if (all === null || start === null || size === null || base === null) return [];
  return all.map((r) => ({ start: Math.max(0, r.start + base - start), end: Math.min(size, r.end + base - start) })).filter((r) => r.start < r.end);
}

function bad(reader: Reader, path: string): PhysRange[] | null {
  const text = reader.text(path);
  const ranges = text === null ? null : parseBadblocks(text);
  if (text !== null && ranges === null) reader.malformed(path, text, 'lines of a sector and a count');
  return ranges;
}
