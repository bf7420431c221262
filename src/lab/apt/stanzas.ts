/** The form of Debian's package lists and control files: stanzas of `Field: value` lines, continued by indented lines. */
export type Stanza = Readonly<Record<string, string>>;

/** Field names keep their case as written (they are always capitalised in package lists). Lines that fit nothing are passed over. */
export function parseStanzas(text: string): Stanza[] {
  const stanzas: Record<string, string>[] = [];
  let current: Record<string, string> | null = null;
  let field = '';
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      current = null;
      continue;
    }
    if (line.startsWith('#')) continue;
    if (/^[ \t]/.test(line)) {
      if (current && field !== '') current[field] += `\n${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    if (!current) {
      current = Object.create(null) as Record<string, string>;
      stanzas.push(current);
    }
    field = line.slice(0, colon);
    current[field] = line.slice(colon + 1).trim();
  }
  return stanzas;
}

export interface Dependency {
  readonly name: string;
  /** An exact version, where `(= V)` is asked for. */
  readonly exactly?: string;
}

/** A Depends field: for each comma the first alternative, which is what apt prefers. */
export function parseDepends(text: string): Dependency[] {
  return text.split(',').flatMap((clause): Dependency[] => {
    const m = /^\s*([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9]+)?\s*(?:\(\s*([<>=]+)\s*([^\s)]+)\s*\))?/.exec(clause.split('|')[0] ?? '');
    if (!m?.[1]) return [];
    return [m[2] === '=' && m[3] !== undefined ? { name: m[1], exactly: m[3] } : { name: m[1] }];
  });
}
