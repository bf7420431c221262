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

/** First words of the lines that count; `pages free` is told by its second. The colon is part of the word. */
const FIELDS: Readonly<Record<string, keyof ZoneInfo>> = {
  'pages': 'freePages', 'low': 'lowWatermark', 'high': 'highWatermark', 'spanned': 'spannedPages', 'present': 'presentPages', 'managed': 'managedPages', 'start_pfn:': 'startPfn',
};

export function parseZoneinfo(text: string): ZoneInfo[] {
  const zones: Growing[] = [];
  let perCpu = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('Node ')) {
      const head = /^Node (\d+), zone\s+(\S+)/.exec(line);
      if (head === null) continue;
      perCpu = false;
      zones.push({ node: Number(head[1]), name: head[2]!, freePages: 0, lowWatermark: 0, highWatermark: 0, spannedPages: 0, presentPages: 0, managedPages: 0, startPfn: 0 });
      continue;
    }
    const zone = zones.at(-1);
    if (!zone) continue;
    // The per-cpu part, many lines for each processor, has names of its own; only start_pfn after it is of the zone.
    if (perCpu && !line.includes('start_pfn')) continue;
    const words = line.trim().split(/\s+/);
    if (words[0] === 'pagesets') perCpu = true;
    const field = FIELDS[words[0] ?? ''];
    if (field === undefined || (field === 'freePages' && words[1] !== 'free')) continue;
    const value = words[field === 'freePages' ? 2 : 1] ?? '';
    if (/^\d+$/.test(value) && Number.isSafeInteger(Number(value))) (zone as Record<string, number | string>)[field] = Number(value);
  }
  return zones;
}
