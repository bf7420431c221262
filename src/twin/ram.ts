/** The RAM of a captured machine as the simulated kernel boots it, and the rest of its address map. */
import type { PhysRange } from '../range/phys-range.ts';
import type { Machine } from '../machine/machine.ts';
import type { Resource } from '../machine/types/address-map.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { RamRange } from '../kernel/mm/boot.ts';
import { allocResource, insertResource, IORESOURCE_MEM } from '../kernel/resource.ts';

const PAGE = 4096;

/** Boot RAM by node: top-level `System RAM` that no DIMM brought. Bytes, sorted. */
export function bootRamOf(machine: Machine): RamRange[] {
  const added = machine.dimms.flatMap((d) => (d.range === null ? [] : [d.range]));
  const whole = machine.addressMap.resources.filter((r) => r.name === 'System RAM' && !added.some((a) => r.start >= a.start && r.end <= a.end));
  return whole.flatMap((r) => splitByNode(machine, r)).filter((r) => r.start < r.end);
}

/** The kernel's own image, as /proc/iomem shows it inside System RAM: pages that never leave. */
export const kernelImageOf = (machine: Machine): PhysRange[] => machine.addressMap.resources
  .flatMap((r) => (r.name === 'System RAM' ? r.children : [])).filter((r) => /^Kernel (code|rodata|data|bss)$/.test(r.name)).map(({ start, end }) => ({ start, end }));

/** A range is cut where the node changes: at the start of a zone of another node. */
function splitByNode(machine: Machine, range: PhysRange): RamRange[] {
  const spans = machine.memory.nodes.flatMap((n) => n.zones.filter((z) => z.spannedPages > 0).map((z) => ({ nid: n.id, start: z.startPfn * PAGE, end: (z.startPfn + z.spannedPages) * PAGE })));
  const cuts = [...new Set(spans.map((s) => s.start))].filter((at) => at > range.start && at < range.end).sort((a, b) => a - b);
  const parts = [range.start, ...cuts].map((start, i) => ({ start, end: cuts[i] ?? range.end }));
  return parts.map((p) => ({ ...p, nid: spans.find((s) => p.start < s.end && p.end > s.start)?.nid ?? 0 })).reduce<RamRange[]>((merged, part) => {
    const last = merged.at(-1);
    if (last !== undefined && last.nid === part.nid && last.end === part.start) merged[merged.length - 1] = { ...last, end: part.end };
    else merged.push(part);
    return merged;
  }, []);
}

/** Lines of the address map that no simulated driver makes: firmware, PCI, the kernel's own image. */
export function insertOtherResources(k: Kernel, machine: Machine, owned: readonly PhysRange[]): void {
  const walk = (list: readonly Resource[]): void => {
    for (const r of list) {
      if (owned.some((o) => r.start >= o.start && r.end <= o.end)) continue;
      // Inner lines first: what is inserted around them takes them in, also at equal ranges.
      walk(r.children);
      if (r.name !== 'System RAM') insertResource(k, k.resources.root, allocResource(k, r.start, r.end - 1, r.name, IORESOURCE_MEM));
    }
  };
  walk(machine.addressMap.resources);
}
