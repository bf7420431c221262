/** __remove_pages (mm/memory_hotplug.c; 5.10 to 7.2; 5.2 looked into the pages first). */
import type { Kernel } from '../../kernel.ts';
import { oopsPage } from '../../oops.ts';
import { linksNode, PAGE } from '../page-template.ts';
import { pageLoad } from '../page.ts';
import { sparseRemoveSection } from '../sparse.ts';

/** Takes the memmap of [pfn, pfn + count) away, section by section. */
export function removePages(k: Kernel, pfn: number, count: number, altmap: number): void {
  if (count > 0 && k.mechanism('block.remove-reads-zone-of-page')) zoneOfPage(k, pfn);
  for (let at = pfn; at < pfn + count;) {
    const part = Math.min(pfn + count - at, k.sparse.pps - (at % k.sparse.pps));
    sparseRemoveSection(k, at, part, altmap);
    at += part;
  }
}

/** page_zone(pfn_to_page(pfn)): with the node number of a page that was never initialised, NODE_DATA() is anything. */
function zoneOfPage(k: Kernel, pfn: number): void {
  const nid = linksNode(pageLoad(k, pfn, PAGE.links, 'arch_remove_memory'));
  if (nid >= k.nodes) oopsPage(k, pfn, 'page_zone <- arch_remove_memory');
}
