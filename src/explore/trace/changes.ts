/** The net effect of a step on named words, most interesting first, with what only keeps house left out. */
import type { TraceStep } from '../verdict.ts';

/** Words of most interest first. */
const INTEREST: readonly RegExp[] = [/^struct pages of/, / pte\[\d+\]$/, /across domains|absent memory/, /\.refcount$|\.mapcount$|\.held$|\.srcu$|interrupts off/, / dax entry\[\d+\]$/, /\.dying$|\.flags$|\.state$|\.events$|\.power$|\.adapter$/, /[lL]ock$|\.ptl$/];
/** Housekeeping that says nothing about the matter. */
const NOISE = /\.devres$|\.drvdata$|\.next[A-Z]?\w*$|\.links$|\.sigbusAddr$|\.sibling$|\.child$|\.res$|\.pmem\.|\.owner$|\.bind$|\.vmas$|\.iMmap$|\.node$|\.vma\.flags$| pte\[\d+\]\.pfn$|\.files$|dax entry\[\d+\]\.pfn$/;
/** What a struct page holds; only the counts are of interest while the page is there. */
const PAGE_WORD = / page\[\d+\]\./;
const PAGE_COUNT = / page\[\d+\]\.(refcount|mapcount)$/;
const MOST = 5;
/** So many words of one object at once are its birth or its end. */
const OBJECT = 4;

interface Change { readonly word: string; readonly before: number; readonly after: number; readonly text: string }

export function netChanges(step: TraceStep): string[] {
  const { words, wholes } = interesting(step);
  const all = [...words.map((c) => `${c.word}: ${c.text}`), ...[...wholes].map(([name, how]) => `${name} is ${how}`)];
  return all.length > MOST ? [...all.slice(0, MOST), `and ${all.length - MOST} more`] : all;
}

/** Names of the words that a step changed and that are worth a look. */
export const changedWords = (step: TraceStep): string[] => interesting(step).words.map((c) => c.word);

function interesting(step: TraceStep): { words: Change[]; wholes: Map<string, 'freed' | 'made'> } {
  const net = new Map<string, Change>();
  for (const store of step.stores) {
    if (store.word.startsWith('word ')) continue;
    const known = net.get(store.word);
    const [from, to] = (store.text ?? `${store.before} -> ${store.after}`).split(' -> ') as [string, string];
    net.set(store.word, { word: store.word, before: known?.before ?? store.before, after: store.after, text: `${known === undefined ? from : (known.text.split(' -> ')[0] as string)} -> ${to}` });
  }
  const changed = [...net.values()].filter((c) => c.before !== c.after && c.text.split(' -> ')[0] !== c.text.split(' -> ')[1]);
  const wholes = objects(changed.filter((c) => !PAGE_WORD.test(c.word)));
  const gone = new Set(changed.filter((c) => c.word.startsWith('struct pages of ')).map((c) => c.word.slice(16)));
  const rest = pages(changed.filter((c) => !wholes.has(objectOf(c.word)) && !NOISE.test(c.word)), gone);
  const rank = (word: string): number => { const at = INTEREST.findIndex((r) => r.test(word)); return at < 0 ? INTEREST.length : at; };
  return { words: rest.sort((a, b) => rank(a.word) - rank(b.word)), wholes };
}

const objectOf = (word: string): string => word.slice(0, Math.max(0, word.lastIndexOf('.')));

/** Objects of which many words became zero (or the poison of freed memory), or were zero. */
function objects(changed: readonly Change[]): Map<string, 'freed' | 'made'> {
  const groups = Map.groupBy(changed, (c) => objectOf(c.word));
  const found = new Map<string, 'freed' | 'made'>();
  for (const [name, words] of groups) {
    if (name === '' || words.length < OBJECT) continue;
    if (words.every((c) => c.after === 0 || c.after === 0x6b6b6b6b)) found.set(name, 'freed');
    else if (words.every((c) => c.before === 0 || c.before === 0x6b6b6b6b)) found.set(name, 'made');
  }
  return found;
}

/** Counts of struct pages, where few change; many are one change, and none where the struct pages themselves went or came. */
function pages(changed: readonly Change[], gone: ReadonlySet<string>): Change[] {
  const others = changed.filter((c) => !PAGE_WORD.test(c.word));
  const of = Map.groupBy(changed.filter((c) => PAGE_WORD.test(c.word)), (c) => c.word.split(' ')[0] as string);
  for (const [device, words] of of) {
    if (gone.has(device)) continue;
    const counts = words.filter((c) => PAGE_COUNT.test(c.word));
    if (counts.length <= 3 && counts.length === words.filter((c) => !/\.(pgmap|links|flags)$/.test(c.word)).length) others.push(...counts);
    else others.push({ word: `struct pages of ${device}`, before: 0, after: 1, text: 'are written' });
  }
  return others;
}
