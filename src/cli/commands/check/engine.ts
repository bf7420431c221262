/** `unseat check --engine [SHAPE...]`: the real removal engine against processes that live meanwhile, in every order. */
import { EXIT } from '../../../errors/codes.ts';
import { UnseatError } from '../../../errors/unseat-error.ts';
import { engineCase, SHAPES, type StepKind } from '../../../explore/engine/engine-case.ts';
import { searchEngine } from '../../../explore/engine/search.ts';
import { profileByName, profileNames, releaseNames } from '../../../profile/select.ts';
import type { Way } from '../../../steps/reason.ts';
import { engineTable, failureText, type EngineRow } from '../../print/check-engine.ts';
import type { Output } from '../../print/output.ts';

type Options = Readonly<Record<string, unknown>>;
/** Runs of one search unless told otherwise. */
const MAX_RUNS = 20_000;
const WAYS: readonly Way[] = ['graceful', 'detach', 'force', 'kill'];
/** Shapes with one actor, or two with one deed each: each takes seconds. The others are asked for by name. */
const SMALL = ['fault', 'write', 'fork', 'map', 'map-private', 'open', 'cwd', 'exit'];

export async function checkEngine(names: readonly string[], options: Options, out: Output): Promise<number> {
  const { liveTime } = await import('../../../host/live/time.ts');
  const shapes = names.length === 0 ? SMALL : names;
  for (const name of shapes) if (SHAPES[name] === undefined) throw new UnseatError('USAGE', `there is no shape ${name}`, { next: `Known: ${Object.keys(SHAPES).join(', ')}.` });
  const rows: EngineRow[] = [];
  for (const profileName of (options['profile'] as readonly string[] | undefined) ?? [releaseNames().at(-1) ?? '']) {
    const profile = profileByName(profileName);
    if (profile === null) throw new UnseatError('USAGE', `there is no profile ${profileName}`, { subject: '--profile', next: `Take some of ${profileNames().join(', ')}.` });
    for (const way of waysOf(options)) {
      for (const shape of shapes) {
        const test = engineCase(profile, way, SHAPES[shape] ?? [], { without: (options['without'] ?? []) as readonly StepKind[], ...(typeof options['mutate'] === 'string' ? { mutation: options['mutate'] } : {}) });
        const verdict = await searchEngine(test, {
          now: () => liveTime.now(), maxRuns: runsOf(options), reduce: options['reduce'] !== false, all: options['all'] === true,
          onProgress: (runs) => { if (runs % 50 === 0) out.progress(`${shape} by ${way} on ${profile.name}: ${runs} runs`); },
        });
        rows.push({ shape, way, profile: profile.name, verdict });
      }
    }
  }
  const page = { width: out.options.width, style: out.style.bind(out) };
  if (out.options.json) out.json(rows);
  else {
    out.text(engineTable(rows, page));
    for (const row of rows) for (const failure of row.verdict.failures.slice(0, 1)) out.text(`\n${failureText(row, failure)}`);
  }
  return rows.some((row) => row.verdict.failures.length > 0 || !row.verdict.complete) ? EXIT.found : EXIT.ok;
}

function waysOf(options: Options): readonly Way[] {
  const asked = options['way'] as readonly string[] | undefined;
  for (const way of asked ?? []) if (!(WAYS as readonly string[]).includes(way)) throw new UnseatError('USAGE', `there is no way ${way}`, { subject: '--way', next: `Take some of ${WAYS.join(', ')}.` });
  return (asked as readonly Way[] | undefined) ?? ['detach', 'kill', 'force'];
}

function runsOf(options: Options): number {
  const text = options['maxRuns'];
  if (text === undefined) return MAX_RUNS;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UnseatError('USAGE', `"${String(text)}" is no number of runs`, { subject: '--max-runs' });
  return value;
}
