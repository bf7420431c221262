/**
 * What virtio-mem does when its blocks go online and offline (virtio_mem_online_page_cb, virtio_mem_memory_notifier_cb):
 * sub-blocks that the host has taken back stay PageOffline in an online block, and let go of their reference while the
 * block goes offline. Once the driver is gone nobody does that: such a block never gets isolated.
 */
import type { Kernel } from '../../kernel.ts';
import { offlineTemplate } from '../../mm/contig_range.ts';
import { fillPages } from '../../mm/memmap-fill.ts';
import { freeToZone } from '../../mm/memory_hotplug/online.ts';
import { hotplug, type MemoryEvent } from '../../mm/memory_hotplug/hotplug.ts';
import { MIGRATE } from '../../mm/page-template.ts';
import { pageNode, pageZone } from '../../mm/page.ts';
import { subBlockPlugged, subBlockSize, virtioMemAt, VM } from './virtio_mem.ts';

const register = (k: Kernel): true => {
  hotplug(k).onlinePages.push(onlinePages);
  hotplug(k).notifiers.push(notifier);
  return true;
};
/** Registers the callbacks, once a kernel. */
export const virtioMemHooks = (k: Kernel): true => k.part(register);

/** The live device of a page range, 0 where it has none or its driver is gone. */
function liveDevice(k: Kernel, pfn: number): number {
  const vm = virtioMemAt(k, pfn * k.geo.pageSize);
  return vm !== 0 && k.heap.load(vm + VM.alive) !== 0 ? vm : 0;
}

function onlinePages(k: Kernel, pfn: number, count: number): boolean {
  const vm = liveDevice(k, pfn);
  if (vm === 0) return false;
  const zone = pageZone(k, pfn, 'virtio_mem_online_page_cb');
  const nid = pageNode(k, pfn, 'virtio_mem_online_page_cb');
  const step = subBlockSize(k) / k.geo.pageSize;
  for (let at = pfn; at < pfn + count; at += step) {
    if (subBlockPlugged(k, vm, at * k.geo.pageSize)) freeToZone(k, nid, zone, at, step, MIGRATE.movable);
    else fillPages(k, at, step, offlineTemplate(k, zone, nid, 1));
  }
  return true;
}

/** Unplugged sub-blocks count as isolated (reference 0) from going-offline on, and not (1) when that is cancelled. */
function notifier(k: Kernel, event: MemoryEvent, pfn: number, count: number): number {
  const vm = event === 'going-offline' || event === 'cancel-offline' ? liveDevice(k, pfn) : 0;
  if (vm === 0) return 0;
  const zone = pageZone(k, pfn, 'virtio_mem_notifier');
  const nid = pageNode(k, pfn, 'virtio_mem_notifier');
  const step = subBlockSize(k) / k.geo.pageSize;
  for (let at = pfn; at < pfn + count; at += step) {
    if (subBlockPlugged(k, vm, at * k.geo.pageSize)) continue;
    fillPages(k, at, step, offlineTemplate(k, zone, nid, event === 'going-offline' ? 0 : 1));
    // The offline code subtracts the whole block from the managed pages.
    k.zones.add(nid, zone, 'managed', event === 'going-offline' ? step : -step);
  }
  return 0;
}
