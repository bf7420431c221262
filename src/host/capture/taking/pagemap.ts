/**
 * Page table entries of mappings of devices. The host refuses (`unsafe`) for a process that maps a device already gone:
 * reading them would crash the kernel.
 */
import { isMissing, orElse } from '../../fact.ts';
import type { Manifest } from '../manifest.ts';
import type { Taker } from './taker.ts';

/** Addresses in bytes, half open. */
export interface HeldRange {
  readonly pid: number;
  readonly start: number;
  readonly end: number;
}

const ENTRY = 8;
/** Bytes of entries of one mapping: 8 GiB of pages of 4 KiB. */
const MOST = 16 * 1024 * 1024;

export async function takePagemap(taker: Taker, { pid, start, end }: HeldRange, leftOut: Manifest['leftOut']): Promise<void> {
  const pageSize = orElse(taker.host.identity.pageSize, 4096);
  const bytes = ((end - start) / pageSize) * ENTRY;
  const what = `pagemap of process ${pid}, ${start.toString(16)}-${end.toString(16)}`;
  if (bytes > MOST) {
    leftOut.push({ what, why: `more than ${MOST / ENTRY} pages` });
    return;
  }
  const entries = new Uint8Array(bytes);
  const got = taker.host.processes.pagemap(pid, start, entries);
  if (isMissing(got) || got !== bytes) leftOut.push({ what, why: isMissing(got) ? got.missing : `${got} of ${bytes} bytes could be read` });
  else await taker.made(`root/proc/${pid}/pagemap-${start.toString(16)}-${end.toString(16)}.bin`, entries);
}
