/**
 * What is true of a machine at rest (no path under way): counts balance, section maps equal the memmap, blocks and
 * resources agree. For property tests and for whoever sets up a machine. Each broken rule is one line.
 */
import type { Kernel } from '../kernel.ts';
import { blockState, memoryBlocks, MEM, blockPfn } from '../drivers/base/memory.ts';
import { loadLong } from '../state/long.ts';
import { walkSystemRam } from '../resource.ts';
import { linksNode, linksType, linksZone, MIGRATE, PAGE, PG, TYPE, ZONE } from './page-template.ts';
import { pagemapsOf, pgmapEnd, pgmapStart, PGMAP } from './memremap.ts';
import { memmapPresent, onlineSection, pageblockMigratetype, pageFlags, pageLoad, tableOf } from './page.ts';
import { alikeFrom } from './page_isolation.ts';
import { USER, userFolios, userPfn, users } from './ram-user.ts';
import { SECTION } from './section-table.ts';

export function brokenInvariants(k: Kernel): string[] {
  return [...brokenSections(k), ...brokenOwners(k), ...brokenBlocks(k), ...brokenZones(k), ...brokenUsers(k)];
}

/** Numbers and addresses of the sections that exist. Sections without a root entry are passed over 256 at a time. */
function* sectionsOf(k: Kernel): Generator<readonly [number, number]> {
  for (let nr = 0; nr < k.sparse.sections; nr += 1) {
    const section = k.sparse.section(nr);
    if (section === 0) nr |= 255;
    else yield [nr, section];
  }
}

/** Memory that was added has a memmap because of one thing: a System RAM resource, or one pagemap. Whoever has neither must have none. */
function brokenOwners(k: Kernel): string[] {
  const { sparse } = k;
  const ranges: [number, number][] = [];
  walkSystemRam(k, 0, Infinity, (start, end) => ranges.push([start / k.geo.pageSize, end / k.geo.pageSize]) > 0);
  for (let pgmap = k.heap.load(pagemapsOf(k).head); pgmap !== 0; pgmap = k.heap.load(pgmap + PGMAP.next)) ranges.push([pgmapStart(k, pgmap), pgmapEnd(k, pgmap)]);
  const wrong: string[] = [];
  for (const [nr, section] of sectionsOf(k)) {
    if ((sparse.flags(nr) & SECTION.early) !== 0) continue;
    for (let sub = 0; sub < sparse.subs; sub += 1) {
      const pfn = nr * sparse.pps + sub * sparse.ppss;
      const owners = ranges.filter(([start, end]) => pfn >= start && pfn < end).length;
      if (owners !== (sparse.mapTest(section, sub) ? 1 : 0)) wrong.push(`section ${nr} sub-section ${sub}: marked ${sparse.mapTest(section, sub)}, ${owners} resources`);
    }
  }
  return wrong;
}

/** A sub-section is marked exactly where it has a memmap (early sections have all of it); flags fit the map. */
function brokenSections(k: Kernel): string[] {
  const { sparse } = k;
  const wrong: string[] = [];
  for (const [nr, section] of sectionsOf(k)) {
    const flags = sparse.flags(nr);
    const empty = sparse.mapEmpty(section);
    if (empty !== ((flags & SECTION.hasMemMap) === 0)) wrong.push(`section ${nr}: map ${empty ? 'empty' : 'not empty'}, flags 0x${flags.toString(16)}`);
    if (!empty && (flags & (SECTION.present | SECTION.usage)) !== (SECTION.present | SECTION.usage)) wrong.push(`section ${nr}: marked without usage or presence`);
    if ((flags & SECTION.online) !== 0 && empty) wrong.push(`section ${nr}: online and empty`);
    for (let sub = 0; sub < sparse.subs; sub += 1) {
      const has = memmapPresent(k, nr * sparse.pps + sub * sparse.ppss);
      const should = (flags & SECTION.early) !== 0 || sparse.mapTest(section, sub);
      if (has !== should) wrong.push(`section ${nr} sub-section ${sub}: memmap ${has}, marked ${should}`);
    }
  }
  return wrong;
}

/** Blocks are online exactly where their sections are, and every System RAM resource lies in blocks. */
function brokenBlocks(k: Kernel): string[] {
  const wrong: string[] = [];
  for (const id of memoryBlocks(k).all()) {
    const state = blockState(k, id);
    if (state === MEM.goingOffline) wrong.push(`block ${id}: going offline for ever`);
    for (let pfn = blockPfn(k, id); pfn < blockPfn(k, id + 1); pfn += k.sparse.pps) {
      if ((k.sparse.flags(k.sparse.sectionNr(pfn)) & SECTION.present) === 0) continue;
      if (onlineSection(k, pfn) !== (state === MEM.online)) wrong.push(`block ${id}: state ${state}, section online ${onlineSection(k, pfn)}`);
    }
  }
  walkSystemRam(k, 0, Infinity, (start, end) => {
    for (let at = start; at < end; at += k.geo.memoryBlockSize) if (blockState(k, Math.floor(at / k.geo.memoryBlockSize)) === MEM.absent) wrong.push(`System RAM at 0x${at.toString(16)} without a block`);
    return true;
  });
  return wrong;
}

/** The free count of every zone is what is free in it, the present count what is online of it; free pages have no references; no pageblock stays isolated. */
function brokenZones(k: Kernel): string[] {
  const free = new Map<string, number>();
  const present = new Map<string, number>();
  const wrong: string[] = [];
  const ram: [number, number][] = [];
  walkSystemRam(k, 0, Infinity, (start, end) => ram.push([start / k.geo.pageSize, end / k.geo.pageSize]) > 0);
  for (const id of memoryBlocks(k).all()) {
    if (blockState(k, id) !== MEM.online) continue;
    for (let pfn = blockPfn(k, id); pfn < blockPfn(k, id + 1);) {
      const step = memmapPresent(k, pfn) ? alikeFrom(k, pfn) : k.sparse.ppss;
      if (memmapPresent(k, pfn)) {
        const word = pageLoad(k, pfn, PAGE.links, 'invariants');
        const key = `${linksNode(word)} ${linksZone(word)}`;
        for (const [start, end] of ram) if (pfn < end && pfn + step > start) present.set(key, (present.get(key) ?? 0) + Math.min(end, pfn + step) - Math.max(start, pfn));
        if (pageblockMigratetype(k, pfn) === MIGRATE.isolate) wrong.push(`pfn ${pfn}: still isolated`);
        if (linksType(word) === TYPE.buddy) {
          free.set(key, (free.get(key) ?? 0) + step);
          if (pageLoad(k, pfn, PAGE.refcount, 'invariants') !== 0) wrong.push(`pfn ${pfn}: free with references`);
        }
      }
      pfn += step;
    }
  }
  for (let nid = 0; nid < k.nodes; nid += 1) {
    for (let zone = 0; zone < ZONE.device; zone += 1) {
      const counted = k.zones.get(nid, zone, 'free');
      if (counted !== (free.get(`${nid} ${zone}`) ?? 0)) wrong.push(`node ${nid} zone ${zone}: free ${counted}, found ${free.get(`${nid} ${zone}`) ?? 0}`);
      // A block that went online twice would count its pages twice.
      if (k.zones.get(nid, zone, 'present') !== (present.get(`${nid} ${zone}`) ?? 0)) wrong.push(`node ${nid} zone ${zone}: present ${k.zones.get(nid, zone, 'present')}, found ${present.get(`${nid} ${zone}`) ?? 0}`);
      if (k.zones.get(nid, zone, 'managed') < counted) wrong.push(`node ${nid} zone ${zone}: managed ${k.zones.get(nid, zone, 'managed')} below free ${counted}`);
      if (k.zones.get(nid, zone, 'present') > 0 && k.zones.isEmpty(nid, zone)) wrong.push(`node ${nid} zone ${zone}: present pages without a span`);
    }
  }
  return wrong;
}

/** Every folio of a user points back to it and has at least its mapping's reference; tables count their free pages. */
function brokenUsers(k: Kernel): string[] {
  const wrong: string[] = [];
  for (const user of users(k)) {
    for (let slot = 0; slot < userFolios(k, user); slot += 1) {
      const pfn = userPfn(k, user, slot);
      if (pfn < 0) continue;
      const where = 'invariants';
      if (pageLoad(k, pfn, PAGE.mapping, where) !== user || pageLoad(k, pfn, PAGE.index, where) !== slot) wrong.push(`user ${user} slot ${slot}: pfn ${pfn} belongs to another`);
      if (pageLoad(k, pfn, PAGE.refcount, where) < 1) wrong.push(`user ${user} slot ${slot}: no reference`);
      if (linksType(pageLoad(k, pfn, PAGE.links, where)) === TYPE.buddy) wrong.push(`user ${user} slot ${slot}: pfn ${pfn} is free`);
    }
    if (loadLong(k.heap, user + USER.slots) < 0) wrong.push(`user ${user}: freed`);
  }
  return wrong;
}

/** Free pages that a table says it has, against those it has. */
export function brokenTables(k: Kernel, start: number, end: number): string[] {
  const wrong: string[] = [];
  for (let pfn = start; pfn < end; pfn += k.sparse.ppss) {
    const table = memmapPresent(k, pfn) ? tableOf(k, pfn) : 0;
    if (table === 0) continue;
    let free = 0;
    for (let at = 0; at < k.sparse.ppss; at += 1) {
      if (linksType(pageLoad(k, pfn + at, PAGE.links, 'invariants')) === TYPE.buddy && (pageFlags(k, pfn + at, 'invariants') & PG.hwpoison) === 0) free += 1;
    }
    if (free !== k.heap.load(table)) wrong.push(`table of pfn ${pfn}: says ${k.heap.load(table)} free, has ${free}`);
  }
  return wrong;
}

/**
 * A text of everything that a removal must leave as it was: resources, sections, blocks, zones, nodes, objects in use.
 * Equal before an add and after the removal or the failed add.
 */
export function traceOf(k: Kernel): string {
  const lines: string[] = [];
  for (const [nr, section] of sectionsOf(k)) {
    const map = Array.from({ length: k.sparse.mapWords }, (_, i) => k.heap.load(section + 1 + i)).join();
    const flags = k.sparse.flags(nr) & ~(SECTION.usageFreed | SECTION.extra);
    if (flags !== 0 || !k.sparse.mapEmpty(section)) lines.push(`section ${nr} ${flags} ${map}`);
  }
  for (const id of memoryBlocks(k).all()) lines.push(`block ${id} ${blockState(k, id)}`);
  for (let nid = 0; nid < k.nodes; nid += 1) {
    if (k.zones.nodeOnline(nid)) lines.push(`node ${nid} ${k.zones.nodeStart(nid)} ${k.zones.nodeEnd(nid)}`);
    for (let zone = 0; zone < ZONE.count; zone += 1) {
      const counts = (['spanned', 'present', 'managed', 'free'] as const).map((counter) => k.zones.get(nid, zone, counter));
      if (counts.some((n) => n !== 0)) lines.push(`node ${nid} zone ${zone} ${counts.join(' ')}`);
    }
  }
  lines.push(`objects ${k.resources.slab.used}`);
  return lines.join('\n');
}
