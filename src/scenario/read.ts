/** Reads a scenario from YAML text. Every complaint names the file, the line, the place in the document, and what was expected. */
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { ZodType } from 'zod';
import { UnseatError } from '../errors/unseat-error.ts';
import { scenario, type Scenario } from './scenario.ts';

export interface ScenarioProblem {
  /** 1-based; 0 where no place can be named. */
  readonly line: number;
  /** `machine.nvdimms[0].size`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
}

/**
 * @param file only for messages
 * @throws UnseatError BAD_SCENARIO; `data.problems` holds every ScenarioProblem in the order of lines
 */
export function readScenario(text: string, file: string): Scenario {
  return readYaml(text, file, scenario, { schema: 'schema/scenario.json', docs: 'docs/scenarios.md' });
}

/** Where the form of a kind of file is told. */
export interface FormOf {
  readonly schema: string;
  readonly docs: string;
}

/** Any YAML document by its zod schema, with the same complaints. Also used for litmus tests. */
export function readYaml<T>(text: string, file: string, schema: ZodType<T>, form: FormOf): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) throw bad(file, form, syntax.map((e) => ({ line: lines.linePos(e.pos[0]).line, path: '', message: `not YAML: ${e.message.split('\n')[0] ?? ''}` })));
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw bad(file, form, [{ line: 1, path: '', message: `not YAML: ${error instanceof Error ? error.message : String(error)}` }]);
  }
  const result = schema.safeParse(plain);
  if (result.success) return result.data;
  throw bad(file, form, result.error.issues.flatMap((issue) => deepest(issue)).map(({ path, message }) => ({
    line: lineOf(document, lines, path), path: pathText(path), message,
  })));
}

interface Issue { readonly path: readonly PropertyKey[]; readonly message: string; readonly code?: string; readonly errors?: readonly (readonly Issue[])[] }

/** In a union, the branch that got furthest is the one that was meant; its complaints replace "invalid input". */
function deepest(issue: Issue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'invalid_union' || !issue.errors || issue.errors.length === 0) return [{ path: [...issue.path], message: issue.message }];
  const branches = issue.errors.map((list) => list.flatMap((inner) => deepest(inner)));
  const depth = (list: { path: PropertyKey[] }[]): number => Math.max(0, ...list.map((p) => p.path.length));
  const unknownKeys = (list: { message: string }[]): number => list.filter((p) => p.message.startsWith('Unrecognized')).length;
  const best = [...branches].sort((a, b) => unknownKeys(a) - unknownKeys(b) || depth(b) - depth(a) || a.length - b.length)[0] ?? [];
  return best.map((p) => ({ path: [...issue.path, ...p.path], message: p.message }));
}

/** The line of the nearest existing part of `path`. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const parent = length === 0 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMap(parent) && length > 0 ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const found: unknown = pair?.key ?? (length === 0 ? parent : document.getIn(path.slice(0, length), true));
    const range = typeof found === 'object' && found !== null && 'range' in found ? (found as { range?: readonly number[] | null }).range : undefined;
    if (range) return lines.linePos(range[0] ?? 0).line;
  }
  return 1;
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('');

function bad(file: string, form: FormOf, problems: readonly ScenarioProblem[]): UnseatError {
  const sorted = [...problems].sort((a, b) => a.line - b.line);
  const text = (p: ScenarioProblem): string => `line ${p.line}${p.path === '' ? '' : `, ${p.path}`}: ${p.message}`;
  const first = sorted[0] ?? { line: 1, path: '', message: 'not a scenario' };
  return new UnseatError('BAD_SCENARIO', text(first), {
    subject: file,
    ...(sorted.length > 1 ? { cause: sorted.slice(1, 6).map(text).join('; ') } : {}),
    next: `The form is in ${form.schema}; ${form.docs} explains it.`,
    data: { problems: sorted },
  });
}
