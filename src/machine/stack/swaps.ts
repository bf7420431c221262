/** /proc/swaps. Source: mm/swapfile.c, swap_show(): name, type, size and used in KiB, priority; blanks in the name as \040. */
import { isMissing } from '../../host/fact.ts';
import type { ByteString } from '../../host/host.ts';
import type { Reader } from '../reader.ts';
import type { BlockDevice, Mount, SwapArea } from '../types/stack.ts';
import { byteString } from '../../host/names.ts';
import { unescapeOctal } from './escapes.ts';
import { mountHolding } from './mounts.ts';

const DELETED = ' (deleted)';

/** A line; null for the heading and for anything that is no swap area. `dev` is not known from here. */
export function parseSwapLine(line: ByteString): Omit<SwapArea, 'dev'> | null {
  const m = /^(\S+)\s+(partition|file)\s+(\d+)\s+(\d+)\s+(-?\d+)\s*$/.exec(line);
  if (!m) return null;
  const name = unescapeOctal(m[1]!);
  const deleted = name.endsWith(DELETED);
  return { path: deleted ? name.slice(0, -DELETED.length) : name, type: m[2] as SwapArea['type'], sizeBytes: Number(m[3]) * 1024, usedBytes: Number(m[4]) * 1024, deleted };
}

export function readSwaps(reader: Reader, blocks: readonly BlockDevice[], mounts: readonly Mount[]): SwapArea[] {
  const data = reader.host.files.read('/proc/swaps');
  if (isMissing(data)) {
    reader.absence(data);
    return [];
  }
  const lines = byteString(data).split('\n').slice(1).map(parseSwapLine).filter((line) => line !== null);
  return lines.map((line) => ({ ...line, dev: devOf(line, blocks, mounts) }));
}

/** For a partition the device itself, for a file the file system that it lies on (as the first namespace sees it). */
function devOf(swap: Omit<SwapArea, 'dev'>, blocks: readonly BlockDevice[], mounts: readonly Mount[]): string | null {
  if (swap.type === 'partition') return blocks.find((b) => swap.path === `/dev/${b.name}` || (b.label !== null && swap.path === `/dev/mapper/${b.label}`))?.dev ?? null;
  const first = mounts[0]?.namespaceId;
  return first === undefined ? null : (mountHolding(mounts, first, swap.path)?.dev ?? null);
}
