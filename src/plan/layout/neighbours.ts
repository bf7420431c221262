/** Who else lives in the sections of a range, and whether this kernel can keep them apart. */
import { alignDown, alignOutward, overlaps } from '../../range/phys-range.ts';
import { valueOf } from '../../profile/build.ts';
import type { Profile } from '../../profile/profile.ts';
import { SUBSECTION_SIZE } from '../../range/units.ts';
import type { LayoutMachine, LayoutRange, Neighbour } from './types.ts';

/** Ranges of RAM or pmem in the first and last section of `range`; one entry for each pair of section and range. */
export function neighboursOf(range: LayoutRange, all: readonly LayoutRange[], machine: LayoutMachine, profile: Profile): Neighbour[] {
  const size = machine.geometry.sectionSize;
  const sections = [...new Set([alignDown(range.start, size), alignDown(range.end - 1, size)])];
  const fine = valueOf(profile, 'section.hotplug-unit') === 'sub-section';
  return sections.flatMap((start) => {
    const section = { start, end: start + size };
    return all.filter((r) => r !== range && r.kind !== 'reserved' && overlaps(r, section)).map((other) => {
      const sameSubSection = overlaps(alignOutward(range, SUBSECTION_SIZE), alignOutward(other, SUBSECTION_SIZE));
      return { section: start / size, with: other, sameSubSection, collides: fine ? sameSubSection : true };
    });
  });
}
