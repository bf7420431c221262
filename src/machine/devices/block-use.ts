/** Who uses a block device from above: file systems, swap, stacked devices, overlays, exports. */
import { displayName } from '../../host/names.ts';
import type { BlockDevice, Mount } from '../types/stack.ts';
import type { Parts } from './draft.ts';

export interface BlockUse {
  /** Device numbers of the disk, of everything stacked on it, and of the file systems and overlays on those. */
  readonly deviceNumbers: readonly string[];
  /** `/dev` names and mount points. */
  readonly aliases: readonly string[];
  /** A few words; null when nothing uses it. */
  readonly words: string | null;
}

export function blockUse(parts: Parts, disk: string | null): BlockUse {
  if (disk === null) return { deviceNumbers: [], aliases: [], words: null };
  const stack = stackOn(parts.blockDevices, disk);
  const names = stack.map((b) => b.name);
  const numbers = new Set(stack.map((b) => b.dev).filter((dev) => dev !== '0:0'));
  // Some file systems (btrfs) have a device number of their own: the source tells.
  const mounts = parts.mounts.filter((m) => numbers.has(m.dev) || names.some((name) => m.source === `/dev/${name}`) || stack.some((b) => b.kind === 'dm' && b.label !== null && m.source === `/dev/mapper/${b.label}`));
  for (const mount of mounts) if (mount.dev !== '0:0') numbers.add(mount.dev);
  for (const overlay of parts.overlays ?? []) if (overlay.onDev !== null && numbers.has(overlay.onDev)) numbers.add(overlay.overlayDev);
  const nodes = stack.flatMap((b) => [`/dev/${b.name}`, ...(b.kind === 'dm' && b.label !== null ? [`/dev/mapper/${b.label}`] : [])]);
  return {
    deviceNumbers: [...numbers],
    aliases: [...new Set([`/dev/${disk}`, ...nodes, ...mounts.map((m) => m.mountPoint)])],
    words: words(parts, disk, stack, mounts, numbers),
  };
}

/** The device and everything above it, each once, lowest first. */
export function stackOn(blocks: readonly BlockDevice[], name: string): BlockDevice[] {
  const byName = new Map(blocks.map((b) => [b.name, b]));
  const seen = new Map<string, BlockDevice>();
  const queue = [name];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const block = byName.get(next);
    if (block === undefined || seen.has(next)) continue;
    seen.set(next, block);
    queue.push(...block.above);
  }
  return [...seen.values()];
}

function words(parts: Parts, disk: string, stack: readonly BlockDevice[], mounts: readonly Mount[], numbers: ReadonlySet<string>): string | null {
  const uses: string[] = [];
  const points = new Map<string, Mount>();
  for (const m of mounts) if (!points.has(m.mountPoint)) points.set(m.mountPoint, m);
  const [first] = points.values();
  if (first) {
    const namespaces = new Set(mounts.map((m) => m.namespaceId)).size;
    uses.push(`${first.fsType} on ${displayName(first.mountPoint)}${first.dax === null ? '' : ` (dax=${first.dax})`}${first.shutdown ? ' (shut down)' : ''}`
      + (points.size > 1 ? ` and ${points.size - 1} more mount point(s)` : '') + (namespaces > 1 ? ` in ${namespaces} mount namespaces` : ''));
  }
  const swaps = parts.swaps.filter((s) => s.dev !== null && numbers.has(s.dev));
  if (swaps.length > 0) uses.push(`swap ${swaps.map((s) => displayName(s.path)).join(', ')}`);
  const above = stack.filter((b) => b.name !== disk);
  if (above.length > 0) uses.push(`under ${above.map((b) => (b.label === null || b.kind === 'loop' ? b.name : `${b.name} (${b.label})`)).join(', ')}`);
  const layers = (parts.overlays ?? []).filter((o) => o.onDev !== null && numbers.has(o.onDev));
  if (layers.length > 0) uses.push(`layers of ${new Set(layers.map((o) => o.mountPoint)).size} overlay(s)`);
  const exported = (parts.exports ?? []).filter((e) => e.onDev !== null && numbers.has(e.onDev));
  if (exported.length > 0) uses.push(`exported over NFS: ${exported.map((e) => displayName(e.directory)).join(', ')}`);
  return uses.length === 0 ? null : uses.join('; ');
}
