/** Reads and writes by the processes themselves, and looks at them from outside. */
import type { PageCounts } from '../../../../scenario/observation.ts';
import type { HeldMap, Holder } from '../holder.ts';
import { NotAvailable, type Guest } from '../machine.ts';
import { once } from '../once.ts';
import { fromAnswer, fromOnce, type Seen } from './outcome.ts';

export function holderOf(guest: Guest, name: string): Holder {
  const holder = guest.holders.get(name);
  if (!holder) throw new NotAvailable(`${name} was never started`);
  return holder;
}

export async function touch(guest: Guest, how: 'read' | 'write', name: string, map: string | undefined, deadlineMs: number): Promise<Seen> {
  const holder = holderOf(guest, name);
  const pages: PageCounts[] = [];
  for (const held of mapsOf(holder, map)) {
    const answered = await holder.ask(`${how} map=${held.spec.name}`, deadlineMs);
    if (answered.kind !== 'reply' || !answered.reply.ok) return { ...fromAnswer(holder, answered), pages };
    pages.push(counts(guest, holder, held, answered.reply));
    for (let i = 0; i < holder.children.length; i += 1) {
      const child = await holder.ask(`child ${i} ${how} map=${held.spec.name}`, deadlineMs);
      if (child.kind === 'reply' && child.reply.ok) pages.push({ ...counts(guest, holder, held, child.reply), process: `${name}.${i}` });
    }
  }
  return { ending: 'returned', pages };
}

const mapsOf = (holder: Holder, map: string | undefined): HeldMap[] => [...holder.maps.values()].filter((m) => map === undefined || m.spec.name === map);

/** Marks of processes that map the same file count as its own: whoever wrote last before the removal left them. */
function counts(guest: Guest, holder: Holder, held: HeldMap, reply: Readonly<Record<string, unknown>>): PageCounts {
  const n = (key: string): number => Number(reply[key] ?? 0);
  let own = 0;
  const others: Record<string, number> = {};
  for (const [mark, count] of Object.entries((reply['marks'] ?? {}) as Record<string, number>)) {
    const writer = guest.scenario.processes[Number(mark) - 1];
    const sameFile = 'file' in held.spec && writer?.maps.some((m) => 'file' in m && 'file' in held.spec && m.file === held.spec.file) === true && writer.started;
    if (Number(mark) === holder.mark || sameFile) own += count;
    else others[writer?.name ?? mark] = (others[writer?.name ?? mark] ?? 0) + count;
  }
  return {
    process: holder.spec.name, map: held.spec.name, pages: n('pages'), own, zero: n('zero'), ones: n('ones'), others, unknown: n('unknown'),
    sigbus: n('sigbus'), sigsegv: n('sigsegv'), codes: (reply['codes'] ?? []) as number[],
  };
}

/** Pages of the process's maps that are present and lie on the machine's removable memory. */
export async function pagemap(guest: Guest, name: string, map: string | undefined, deadlineMs: number, helper: 'pagemap' | 'hard-offline' = 'pagemap'): Promise<Seen> {
  const holder = holderOf(guest, name);
  let present = 0;
  const figures = { writes: 0, refused: 0 };
  for (const held of mapsOf(holder, map)) {
    const seen = await once([helper, String(holder.pid), String(held.address), String(held.size), ...framesOf(guest, held)], deadlineMs);
    if (seen.ending !== 'returned') return fromOnce(seen);
    present += Number(seen.answer['inside'] ?? 0);
    figures.writes += Number(seen.answer['writes'] ?? 0);
    figures.refused += Number(seen.answer['refused'] ?? 0);
  }
  return helper === 'hard-offline' ? { ending: 'returned', figures } : { ending: 'returned', present };
}

/** Number of the first frame of a device that the process maps; 0 where it maps none. */
export async function firstFrame(guest: Guest, name: string, deadlineMs: number): Promise<number> {
  const holder = holderOf(guest, name);
  for (const held of mapsOf(holder, undefined)) {
    const seen = await once(['pagemap', String(holder.pid), String(held.address), String(held.size), ...framesOf(guest, held)], deadlineMs);
    if (Number(seen.answer['first'] ?? 0) > 0) return Number(seen.answer['first']);
  }
  return 0;
}

/** First and end frame of the device that a map lies on; all frames for other memory. */
function framesOf(guest: Guest, held: HeldMap): [string, string] {
  const range = rangeOf(guest, held);
  return range ? [String(Math.floor(range.start / 4096)), String(Math.ceil(range.end / 4096))] : ['0', String(2 ** 52)];
}

/** Where the memory of a map lies, as it was before anything was removed. */
function rangeOf(guest: Guest, held: HeldMap): { start: number; end: number } | undefined {
  const spec = held.spec;
  if ('device' in spec) return guest.devices.get(spec.device)?.range;
  if ('anonymous' in spec) return undefined;
  const fs = guest.scenario.filesystems.filter((f) => spec.file.startsWith(`${f.at}/`)).sort((a, b) => b.at.length - a.at.length)[0];
  return fs === undefined ? undefined : guest.devices.get(fs.on)?.range;
}
