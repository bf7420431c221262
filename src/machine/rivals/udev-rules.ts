/**
 * udev rules, read far enough to say which of them act on memory, dax, nd or cxl devices. Source: udev(7): rules files of
 * all directories are taken in the order of their names; of two with the same name the directory with the higher priority
 * wins; an empty file (a link to /dev/null) masks. GOTO and LABEL jump inside one file.
 */
export interface UdevToken {
  /** `SUBSYSTEM`, `ATTR`, `RUN`, ... */
  readonly key: string;
  /** What stands in braces: `state` of `ATTR{state}`. */
  readonly attribute: string | null;
  readonly operator: '==' | '!=' | '=' | '+=' | '-=' | ':=';
  readonly value: string;
}

export interface UdevRule {
  /** Line number from 1, of the first line where a rule is continued. */
  readonly line: number;
  readonly tokens: readonly UdevToken[];
}

const TOKEN = /\s*,?\s*([A-Z_]+)(?:\{([^}]*)\})?\s*(==|!=|\+=|-=|:=|=)\s*(?:[ei]*)"((?:[^"\\]|\\.)*)"/gy;

/** Rules of one file in order. What is no token ends its rule there: udev would refuse the rule, and so it does nothing. */
export function parseUdevRules(text: string): UdevRule[] {
  const rules: UdevRule[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i += 1) {
    const line = i + 1;
    let joined = lines[i]!;
    if (joined.trimStart().startsWith('#')) continue;
    while (joined.endsWith('\\') && i + 1 < lines.length) joined = joined.slice(0, -1) + lines[(i += 1)]!;
    const tokens: UdevToken[] = [];
    TOKEN.lastIndex = 0;
    for (let m = TOKEN.exec(joined); m; m = TOKEN.exec(joined)) tokens.push({ key: m[1]!, attribute: m[2] ?? null, operator: m[3] as UdevToken['operator'], value: m[4]! });
    if (tokens.length > 0) rules.push({ line, tokens });
  }
  return rules;
}

export type Concern = 'memory' | 'dax' | 'nd' | 'cxl';
const CONCERNS: readonly Concern[] = ['memory', 'dax', 'nd', 'cxl'];

export interface ActingRule {
  readonly line: number;
  readonly subsystem: Concern;
  /** `online`, `online_movable`, ... when the rule writes a block's state; null when it does something else. */
  readonly onlines: string | null;
  /** What it does, as it stands in the file: `ATTR{state}="online"`, `RUN+="/usr/bin/x"`. */
  readonly action: string;
}

/**
 * False for a file that cannot have a rule of our subsystems: none is named, and no pattern could mean one. Distributions
 * bring dozens of files, and reading rules takes longer than reading files.
 */
export const mayConcern = (text: string): boolean => /SUBSYSTEMS?\s*[!=]=\s*[ei]*"[^"]*(?:memory|dax|nd|cxl|[*?[])/.test(text.replaceAll('\\\n', '')) || text.includes('/system/memory/');

/** The rules that act: they write an attribute, run a program or start a service for a device of one of our subsystems. */
export function actingRules(rules: readonly UdevRule[]): ActingRule[] {
  const found: ActingRule[] = [];
  // `SUBSYSTEM!="memory", GOTO="end"`: everything up to LABEL="end" is about memory.
  const gates: { readonly until: string; readonly subsystem: Concern }[] = [];
  for (const { line, tokens } of rules) {
    const label = tokens.find((t) => t.key === 'LABEL')?.value;
    if (label !== undefined) for (let i = gates.length - 1; i >= 0; i -= 1) if (gates[i]!.until === label) gates.splice(i, 1);
    const goTo = tokens.find((t) => t.key === 'GOTO')?.value;
    const other = tokens.find((t) => t.key === 'SUBSYSTEM' && t.operator === '!=');
    const refused = other === undefined ? undefined : CONCERNS.find((c) => matches(other.value, c));
    if (goTo !== undefined && refused !== undefined && tokens.length === 2) gates.push({ until: goTo, subsystem: refused });
    const subsystem = concernOf(tokens) ?? gates.at(-1)?.subsystem ?? null;
    if (subsystem === null) continue;
    const action = tokens.find(acts);
    if (action) found.push({ line, subsystem, onlines: onlineWord(subsystem, action), action: show(action) });
  }
  return found;
}

function concernOf(tokens: readonly UdevToken[]): Concern | null {
  const subsystem = tokens.find((t) => (t.key === 'SUBSYSTEM' || t.key === 'SUBSYSTEMS') && t.operator === '==');
  if (subsystem) return CONCERNS.find((c) => matches(subsystem.value, c)) ?? null;
  const path = tokens.find((t) => t.key === 'DEVPATH' && t.operator === '==')?.value ?? '';
  return path.includes('/system/memory/') ? 'memory' : null;
}

const acts = (t: UdevToken): boolean =>
  (t.operator === '=' || t.operator === '+=' || t.operator === ':=')
  && (t.key === 'ATTR' || t.key === 'RUN' || (t.key === 'ENV' && t.attribute === 'SYSTEMD_WANTS'));

function onlineWord(subsystem: Concern, t: UdevToken): string | null {
  if (subsystem !== 'memory') return null;
  if (t.key === 'ATTR' && (t.attribute === 'state' || t.attribute === 'online')) return t.attribute === 'online' && t.value === '1' ? 'online' : /^online/.test(t.value) ? t.value : null;
  return t.key === 'RUN' ? (/\bonline(_kernel|_movable)?\b/.exec(t.value)?.[0] ?? null) : null;
}

const show = (t: UdevToken): string => `${t.key}${t.attribute === null ? '' : `{${t.attribute}}`}${t.operator}"${t.value}"`;

/** udev patterns: alternatives by `|`, shell globs inside. */
function matches(pattern: string, word: string): boolean {
  return pattern.split('|').some((one) => (/[*?[]/.test(one) ? new RegExp(`^${one.replace(/[.+^${}()\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.')}$`).test(word) : one === word));
}
