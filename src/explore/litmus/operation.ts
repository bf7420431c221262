/** One line of a thread: `read h page=0`, `must umount pmem0`, `pin = gup h longterm`. */
import { z } from 'zod';
import { UnseatError } from '../../errors/unseat-error.ts';

export interface Operation {
  readonly verb: string;
  /** Names: processes, files, devices. */
  readonly args: readonly string[];
  /** `page=1`, and bare words of known options as `1`. */
  readonly options: Readonly<Record<string, string>>;
  /** The thread ends here when the operation fails (a negative result). */
  readonly must: boolean;
  /** Name by which later lines of the thread mean its result. */
  readonly as: string | null;
  readonly text: string;
}

const WORD = /^[a-z0-9_.-]+$/;
const FORM = /^([a-z][a-z0-9]* = )?(must )?[a-z][a-z0-9_-]*( [a-z0-9_.-]+(=[a-z0-9_.-]+)?)*$/;

export const operationText = z.string().regex(FORM, 'an operation is [NAME = ][must ]VERB ARGUMENT... [OPTION=VALUE]..., all in lower case');

/** @throws UnseatError BAD_SCENARIO where the line has no such form. */
export function parseOperation(text: string): Operation {
  if (!FORM.test(text)) throw new UnseatError('BAD_SCENARIO', 'this is no operation', { seen: text, next: 'Write VERB ARGUMENT... OPTION=VALUE.' });
  let words = text.split(' ');
  let as: string | null = null;
  if (words[1] === '=') {
    as = words[0] as string;
    words = words.slice(2);
  }
  const must = words[0] === 'must';
  if (must) words = words.slice(1);
  const [verb = '', ...rest] = words;
  const options = Object.fromEntries(rest.filter((w) => w.includes('=')).map((w) => w.split('=') as [string, string]));
  return { verb, args: rest.filter((w) => WORD.test(w)), options, must, as, text };
}
