/**
 * Do these ranges fit? Pure arithmetic over ranges and profiles. RAM that is also claimed as pmem or reserved is taken
 * away from RAM first, as memmap= does (arch/x86/kernel/e820.c).
 */
import { valueOf } from '../../profile/build.ts';
import type { Profile } from '../../profile/profile.ts';
import { RELEASES } from '../../profile/releases/index.ts';
import { intersect, subtract } from '../../range/phys-range.ts';
import { SUBSECTION_SIZE } from '../../range/units.ts';
import { blockYield, mixedBlocks, sectionsOf } from './blocks.ts';
import { dataRange } from './info-block.ts';
import { modesOn52 } from './modes-5.2.ts';
import { modesOf } from './modes.ts';
import { neighboursOf } from './neighbours.ts';
import type { GenerationVerdict, LayoutMachine, LayoutRange, LayoutReport, ModeVerdict, RangeVerdict } from './types.ts';

/** The report for `ranges` on each of `profiles` (all releases where not given); neighbours that answer alike are one generation. */
export function layout(ranges: readonly LayoutRange[], machine: LayoutMachine, profiles: readonly Profile[] = RELEASES): LayoutReport {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const carved = carve(sorted);
  const generations: GenerationVerdict[] = [];
  for (const profile of profiles) {
    const one = onProfile(carved, machine, profile);
    const last = generations.at(-1);
    if (last && sameAnswer(last, one)) generations[generations.length - 1] = { ...last, profiles: [...last.profiles, profile.name] };
    else generations.push(one);
  }
  return { blockSize: machine.blockSize, sectionSize: machine.geometry.sectionSize, subSectionSize: SUBSECTION_SIZE, ranges: carved, overlaps: overlapsOf(sorted), generations };
}

const sameAnswer = (a: GenerationVerdict, b: GenerationVerdict): boolean =>
  JSON.stringify([a.ranges, a.blocks]) === JSON.stringify([b.ranges, b.blocks]);

/** RAM without what pmem and reserved ranges claim. */
function carve(ranges: readonly LayoutRange[]): LayoutRange[] {
  const claims = ranges.filter((r) => r.kind !== 'ram');
  const ram = ranges.filter((r) => r.kind === 'ram').flatMap((r) =>
    claims.reduce<LayoutRange[]>((left, c) => left.flatMap((part) => subtract(part, c).map((s) => ({ ...s, kind: 'ram' as const, text: r.text }))), [r]));
  return [...ram, ...claims].sort((a, b) => a.start - b.start);
}

function overlapsOf(ranges: readonly LayoutRange[]): LayoutReport['overlaps'] {
  const claims = ranges.filter((r) => r.kind !== 'ram');
  return claims.flatMap((a, i) => claims.slice(i + 1).flatMap((b) => {
    const common = intersect(a, b);
    return common ? [{ a, b, common }] : [];
  }));
}

function onProfile(ranges: readonly LayoutRange[], machine: LayoutMachine, profile: Profile): GenerationVerdict {
  const pmem = ranges.filter((r) => r.kind === 'pmem');
  const old = valueOf(profile, 'section.hotplug-unit') === 'section';
  const verdicts = pmem.map((range, i): RangeVerdict => {
    const region = `region${i}`;
    const modes = old ? modesOn52(range, region, ranges, pmem.slice(0, i), machine) : modesOf(range, region, machine);
    const dax = modes.find((m) => m.mode === 'devdax')?.usable ?? (old ? null : byHandDax(range, modes, machine));
    return {
      range, region, fits: fits(modes), sections: sectionsOf(range, machine.geometry.sectionSize), modes,
      neighbours: neighboursOf(range, ranges, machine, profile), asRam: blockYield(dax, `dax${i}.0`, machine.blockSize, profile),
    };
  });
  return { profiles: [profile.name], ranges: verdicts, blocks: mixedBlocks(ranges, machine, profile) };
}

/** Where ndctl refuses, the kernel may still take the range by hand; its device-dax range is then the same as fsdax's. */
const byHandDax = (range: LayoutRange, modes: readonly ModeVerdict[], machine: LayoutMachine): ModeVerdict['usable'] =>
  modes.some((m) => m.by === 'sysfs' && m.works) ? dataRange(range, 'mem', SUBSECTION_SIZE, machine.geometry.pageSize) : null;

function fits(modes: readonly ModeVerdict[]): RangeVerdict['fits'] {
  const whole = modes.filter((m) => m.works && m.lostAtStart === 0 && m.lostAtEnd === 0);
  if (whole.length > 0 && modes.every((m) => m.works || m.by === 'sysfs')) return 'yes';
  return modes.some((m) => m.works) ? 'partly' : 'no';
}
