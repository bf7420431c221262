/** `unseat check LITMUS...`: every interleaving on the simulated kernel. */
import type { Command } from 'commander';
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import { buildLitmus } from '../../explore/litmus/build.ts';
import { checkLitmus, type CheckResult } from '../../explore/litmus/check.ts';
import { readLitmus } from '../../explore/litmus/read.ts';
import type { Litmus } from '../../explore/litmus/schema.ts';
import { parseSchedule, replay } from '../../explore/replay.ts';
import { html } from '../../explore/trace/html.ts';
import { itf } from '../../explore/trace/itf.ts';
import { mermaid } from '../../explore/trace/mermaid.ts';
import { perfetto } from '../../explore/trace/perfetto.ts';
import { readableRows, traceRows } from '../../explore/trace/rows.ts';
import type { Violation } from '../../explore/verdict.ts';
import type { Profile } from '../../profile/profile.ts';
import { profileByName, profileNames } from '../../profile/select.ts';
import { RELEASES } from '../../profile/releases/index.ts';
import { readSearchOptions, SEARCH_HELP, searchOptions } from './check/search-options.ts';
import { checkTable, counterexampleText, traceText } from '../print/check.ts';
import type { Output } from '../print/output.ts';

type Options = Readonly<Record<string, unknown>>;
const FORMS = ['text', 'mermaid', 'html', 'perfetto', 'itf'] as const;
type Form = (typeof FORMS)[number];

export function define(command: Command): void {
  command
    .argument('[litmus...]', 'litmus files, folders of them, or names of shipped ones; all shipped ones without')
    .option('--profile <name>', `only this profile; may be given again: ${profileNames().join(', ')}`, (value: string, before: string[] = []) => [...before, value])
    .option('--all', 'look for every forbidden outcome, not only for the nearest')
    .option('--trace <form>', `print the counterexamples: ${FORMS.join(', ')}`)
    .option('--to-scenario <file>', 'turn the counterexample of one test on one profile into a scenario that `unseat lab run` takes; - prints it')
    .option('--replay <schedule>', 'run this one interleaving, as a counterexample names it')
    .option('--engine', 'instead of litmus tests: the removal engine itself against processes that live meanwhile; the names are then shapes of them')
    .option('--way <way>', 'with --engine: detach, kill or force; may be given again', (value: string, before: string[] = []) => [...before, value])
    .option('--max-runs <n>', 'with --engine: stop a search after so many runs')
    .option('--without <step>', 'with --engine: leave out steps of this kind, to see that it is noticed', (value: string, before: string[] = []) => [...before, value])
    .option('--mutate <name>', 'with --engine: an engine that is wrong in a known way')
    .option('--json', 'print one JSON document');
  searchOptions(command);
  command
    .addHelpText('after', `
A litmus test is a small machine, a few threads that call kernel paths, and what must not happen. Every interleaving of
the threads is tried on the simulated kernel; docs/litmus.md explains how to write one.

Verdicts: ok (no interleaving does it), the names of what is violated, vacuous (something that must be possible never
happens, so the test says nothing), bounded (stopped at --max-states), absent (that kernel has no such device).
A test pins what it expects of each profile. Exit status 4: a verdict is not the expected one, or a forbidden outcome
was found that no expectation names. A forbidden outcome that is expected is not an error.
${SEARCH_HELP}

  unseat check                                          the whole library
  unseat check devdax-rebind --profile 7.2 --trace text
  unseat check my.yaml --all --trace html > trace.html
  unseat check --engine map --way detach                every place of a latecomer's mmap and load among the engine's host calls
  unseat check removal-latecomer --profile 6.12 --search preemptions=2
  unseat check big.yaml --profile 7.2 --workers 2 --checkpoint big.state --max-time 600
  unseat check big.yaml --profile 7.2 --workers 2 --checkpoint big.state --resume big.state
  unseat check devdax-rebind --profile 7.2 --to-scenario rebind.yaml
  unseat lab run rebind.yaml --kernel debian:7.2`);
}

export async function run(args: readonly string[], options: Options, out: Output): Promise<number> {
  if (options['engine'] === true) return (await import('./check/engine.ts')).checkEngine(args, options, out);
  const { readDocuments } = await import('../../host/live/documents.ts');
  const documents = readDocuments(args, 'litmus');
  const tests = documents.map((doc) => readLitmus(doc.text, doc.path));
  const form = formOf(options);
  if (typeof options['replay'] === 'string') return replayOne(tests, options, options['replay'], out);
  const choice = readSearchOptions(options);
  if (typeof options['toScenario'] === 'string') return toScenario(tests, options, choice.maxStates ?? Infinity, options['toScenario'], out);
  const jobs = tests.flatMap((test, i) => profilesOf(test, options).map((profile) => ({ test, text: documents[i]?.text ?? '', profile })));
  const results = await (await import('./check/search.ts')).searchAll(jobs, choice, options['all'] === true, out);
  print(results, form, out);
  return results.some((r) => r.asExpected === false || (r.asExpected === null && r.status !== 'ok')) ? EXIT.found : EXIT.ok;
}

function profilesOf(test: Litmus, options: Options): readonly Profile[] {
  const asked = options['profile'] as readonly string[] | undefined;
  const names = asked ?? test.profiles;
  if (names === undefined) return RELEASES;
  return names.map((name) => {
    const profile = profileByName(name);
    if (profile === null) throw new UnseatError(asked === undefined ? 'BAD_SCENARIO' : 'USAGE', `there is no profile ${name}`, { subject: asked === undefined ? test.litmus : '--profile', next: `Take some of ${profileNames().join(', ')}.` });
    return profile;
  });
}

function print(results: readonly CheckResult[], form: Form | null, out: Output): void {
  const page = { width: out.options.width, style: out.style.bind(out) };
  const violations = results.flatMap((r) => (r.verdict?.violations ?? []).map((violation) => ({ r, violation })));
  if (out.options.json) return out.json(results);
  if (form === null || form === 'text') {
    out.text(checkTable(results, page));
    for (const { r, violation } of violations) if (form === 'text' || r.asExpected === false) out.text(`\n${counterexampleText(r, violation, page)}`);
    return;
  }
  if (violations.length === 0) return out.note('there is no counterexample to draw');
  if (form === 'mermaid') for (const { r, violation } of violations) out.text(drawn(r, violation, form));
  else if (violations.length > 1) throw new UnseatError('USAGE', `--trace ${form} is one document, and there are ${violations.length} counterexamples`, { next: 'Name one litmus test and one --profile, without --all.' });
  else for (const { r, violation } of violations) out.text(drawn(r, violation, form));
}

function drawn(r: CheckResult, violation: Violation, form: Exclude<Form, 'text'>): string {
  const title = `${r.litmus} on ${r.profile}: ${r.title}`;
  if (form === 'mermaid') return mermaid(`${title}: ${violation.property}`, readableRows(violation));
  if (form === 'html') return html(title, violation.property, violation.schedule, readableRows(violation));
  return JSON.stringify(form === 'perfetto' ? perfetto(title, traceRows(violation)) : itf(title, violation), null, 1);
}

/** The nearest counterexample that makes a scenario; with --all, of any property. */
async function toScenario(tests: readonly Litmus[], options: Options, maxStates: number, file: string, out: Output): Promise<number> {
  const [test, ...more] = tests;
  const [profile, ...others] = test === undefined ? [] : profilesOf(test, options);
  if (test === undefined || profile === undefined || more.length > 0 || others.length > 0) throw new UnseatError('USAGE', '--to-scenario wants one litmus test and one --profile');
  const { liveTime } = await import('../../host/live/time.ts');
  const { counterexampleScenario } = await import('../../evidence/counterexample-scenario.ts');
  const violations = checkLitmus(test, profile, { now: () => liveTime.now(), all: true, maxStates, reduce: options['reduce'] !== false }).verdict?.violations ?? [];
  if (violations.length === 0) throw new UnseatError('REFUSED', 'there is no counterexample to turn into a scenario', { subject: `${test.litmus} on ${profile.name}` });
  const refused: UnseatError[] = [];
  for (const violation of violations) {
    try {
      const { text, scenario } = await counterexampleScenario(test, profile, violation);
      if (file === '-') out.text(text);
      else {
        const { writeFiles } = await import('../../lab/write-files.ts');
        writeFiles(file.startsWith('/') ? '/' : '.', [{ path: file, text }]);
        out.note(`${file}: scenario ${scenario.scenario}, ${scenario.steps.length} steps, shows "${violation.property}". Run it: unseat lab run ${file} --kernel debian:${profile.name}`);
      }
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof UnseatError) || error.code !== 'UNSUPPORTED') throw error;
      refused.push(error);
    }
  }
  for (const error of refused.slice(1)) out.error(error);
  throw refused[0] as UnseatError;
}

function replayOne(tests: readonly Litmus[], options: Options, schedule: string, out: Output): number {
  const [test, ...more] = tests;
  const [profile, ...others] = test === undefined ? [] : profilesOf(test, options);
  if (test === undefined || profile === undefined || more.length > 0 || others.length > 0) throw new UnseatError('USAGE', '--replay wants one litmus test and one --profile');
  const program = buildLitmus(test, profile);
  const { trace } = replay(program, parseSchedule(schedule, program.threads.length));
  const violation: Violation = { property: 'replay', kind: 'never', trace, schedule };
  if (out.options.json) out.json(violation);
  else out.text(traceText(readableRows(violation), { width: out.options.width, style: out.style.bind(out) }));
  return EXIT.ok;
}

function formOf(options: Options): Form | null {
  const text = options['trace'];
  if (text === undefined) return null;
  if (FORMS.includes(text as Form)) return text as Form;
  throw new UnseatError('USAGE', `there is no form ${String(text)}`, { subject: '--trace', next: `Take one of ${FORMS.join(', ')}.` });
}
