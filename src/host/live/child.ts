/** Entry of the helper child. With a request as argument: answers it on stdout. Without: serves requests until its parent goes. */
import { writeSync } from 'node:fs';
import type { Answer, Operation } from './operations.ts';
import { perform } from './child-work.ts';

export function serve(request: string | undefined): void {
  if (request !== undefined) {
    writeSync(1, JSON.stringify(perform(JSON.parse(request) as Operation)));
    return;
  }
  process.on('disconnect', () => process.exit(0));
  process.on('message', (operation: Operation) => {
    const answer: Answer = perform(operation);
    // A child that went to another namespace holds it, and is of no more use.
    process.send?.(answer, () => { if (answer.spent === true) process.exit(0); });
  });
}

if (import.meta.filename.endsWith('child.ts')) serve(process.argv[2]);
