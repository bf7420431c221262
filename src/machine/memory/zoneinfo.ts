/** /proc/zoneinfo. Source: mm/vmstat.c, zoneinfo_show_print(). All counts are base pages, `start_pfn` is a pfn. */
export interface ZoneInfo {
  readonly node: number;
  /** `DMA`, `DMA32`, `Normal`, `Movable`, `Device`. */
  readonly name: string;
  readonly freePages: number;
  readonly lowWatermark: number;
  readonly highWatermark: number;
  readonly spannedPages: number;
  readonly presentPages: number;
  readonly managedPages: number;
  readonly startPfn: number;
}

type Growing = { -readonly [K in keyof ZoneInfo]: ZoneInfo[K] };

const FIELDS: ReadonlyArray<readonly [RegExp, keyof ZoneInfo]> = [
  [/^\s*pages free\s+(\d+)/, 'freePages'],
  [/^\s*low\s+(\d+)/, 'lowWatermark'],
  [/^\s*high\s+(\d+)/, 'highWatermark'],
  [/^\s*spanned\s+(\d+)/, 'spannedPages'],
  [/^\s*present\s+(\d+)/, 'presentPages'],
  [/^\s*managed\s+(\d+)/, 'managedPages'],
  [/^\s*start_pfn:\s+(\d+)/, 'startPfn'],
];

export function parseZoneinfo(text: string): ZoneInfo[] {
  const zones: Growing[] = [];
  let perCpu = false;
  for (const line of text.split('\n')) {
    const head = /^Node (\d+), zone\s+(\S+)/.exec(line);
    if (head) {
      perCpu = false;
      zones.push({ node: Number(head[1]), name: head[2]!, freePages: 0, lowWatermark: 0, highWatermark: 0, spannedPages: 0, presentPages: 0, managedPages: 0, startPfn: 0 });
      continue;
    }
    const zone = zones.at(-1);
    if (!zone) continue;
    // The per-cpu part has `high:` lines of its own (with a colon); only start_pfn after it is of the zone.
    if (/^\s*pagesets/.test(line)) perCpu = true;
    for (const [pattern, field] of FIELDS) {
      const m = (!perCpu || field === 'startPfn') ? pattern.exec(line) : null;
      if (m && Number.isSafeInteger(Number(m[1]))) (zone as Record<string, number | string>)[field] = Number(m[1]);
    }
  }
  return zones;
}
