/**
 * memory_failure() for every page of one stopped process that lies in the device: one write to hard_offline_page a page,
 * and a second look at pagemap after each. The write reports success even where it did nothing (5.10, PR_MCE_KILL_LATE).
 */
import { isMissing } from '../../../host/fact.ts';
import type { ProcessRef } from '../../../host/actions.ts';
import type { PhysRange } from '../../../range/phys-range.ts';
import type { Acted, Removal } from '../../engine/removal.ts';
import type { Step } from '../../../steps/step.ts';

const HARD_OFFLINE = '/sys/devices/system/memory/hard_offline_page';
/** Entries read at a time: 64 KiB of pagemap, 32 MiB of 4 KiB pages. */
const CHUNK = 8192;
const PRESENT_HIGH = 0x80000000;
/** Bits 32 to 54 of an entry belong to the pfn (Documentation/admin-guide/mm/pagemap.rst). */
const PFN_HIGH = 0x7fffff;
const WRITE_MS = 10_000;
const SAY_EVERY = 512;

export async function failPages(removal: Removal, process: ProcessRef, range: PhysRange, step: Step): Promise<Acted> {
  const { host } = removal;
  const mappings = host.processes.mappings(process.pid, removal.devices);
  if (isMissing(mappings)) return failed(`its mappings could not be read (${mappings.detail ?? mappings.missing})`);
  const pageSize = host.identity.pageSize;
  const page = isMissing(pageSize) ? 4096 : pageSize;
  const entries = new Uint8Array(CHUNK * 8);
  let writes = 0;
  for (const m of mappings) {
    for (let at = m.start; at < m.end; at += CHUNK * page) {
      const count = Math.min(CHUNK, (m.end - at) / page);
      const got = host.processes.pagemap(process.pid, at, entries.subarray(0, count * 8));
      if (isMissing(got)) return failed(`pagemap: ${got.detail ?? got.missing}`);
      for (let i = 0; i < got / 8; i += 1) {
        if (physical(entries, i, page, range) === null) continue;
        const result = await failPage(removal, process, at + i * page, page, range);
        if (typeof result === 'string') return { ok: false, definite: writes === 0, says: result };
        writes += result;
        if (writes > 0 && writes % SAY_EVERY === 0) removal.progress(step, `${writes} pages written to hard_offline_page`);
      }
    }
  }
  return { ok: true, definite: true, says: `${writes} write(s) to hard_offline_page, no page of the device is mapped any more` };
}

const failed = (says: string): Acted => ({ ok: false, definite: true, says });

/** Returns the writes it took (none where an earlier write has cleared this page too), or why it cannot be done. */
async function failPage(removal: Removal, process: ProcessRef, address: number, page: number, range: PhysRange): Promise<number | string> {
  const entry = new Uint8Array(8);
  const look = (): number | null | string => {
    const got = removal.host.processes.pagemap(process.pid, address, entry);
    return isMissing(got) ? `pagemap: ${got.detail ?? got.missing}` : got < 8 ? null : physical(entry, 0, page, range);
  };
  const before = look();
  if (before === null) return 0;
  if (typeof before === 'string') return before;
  const wrote = await removal.actions.write(HARD_OFFLINE, `0x${before.toString(16)}`, WRITE_MS);
  const after = look();
  if (after === null) return 1;
  if (typeof after === 'string') return after;
  return wrote.ok
    ? `the write of 0x${before.toString(16)} to hard_offline_page reported success and unmapped nothing (this kernel, or PR_MCE_KILL_LATE)`
    : `hard_offline_page refused 0x${before.toString(16)}: ${wrote.errno ?? wrote.detail ?? 'no reason given'}`;
}

/** Pages of the range that a stopped process has mapped now; null where they cannot be read. Only while the device is bound. */
export function presentPages(removal: Removal, pid: number, range: PhysRange): number | null {
  const { host } = removal;
  const mappings = host.processes.mappings(pid, removal.devices);
  if (isMissing(mappings)) return mappings.missing === 'vanished' ? 0 : null;
  const pageSize = host.identity.pageSize;
  const page = isMissing(pageSize) ? 4096 : pageSize;
  const entries = new Uint8Array(CHUNK * 8);
  let present = 0;
  for (const m of mappings) {
    for (let at = m.start; at < m.end; at += CHUNK * page) {
      const got = host.processes.pagemap(pid, at, entries.subarray(0, Math.min(CHUNK, (m.end - at) / page) * 8));
      if (isMissing(got)) return null;
      for (let i = 0; i < got / 8; i += 1) if (physical(entries, i, page, range) !== null) present += 1;
    }
  }
  return present;
}

/** Physical address of a present page inside `range`; null for all others. */
export function physical(entries: Uint8Array, index: number, page: number, range: PhysRange): number | null {
  const view = new DataView(entries.buffer, entries.byteOffset + index * 8, 8);
  const high = view.getUint32(4, true);
  if ((high & PRESENT_HIGH) === 0) return null;
  const pfn = (high & PFN_HIGH) * 2 ** 32 + view.getUint32(0, true);
  const address = pfn * page;
  return address >= range.start && address < range.end ? address : null;
}
