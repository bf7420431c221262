/** Test reporter: failures in full, skips with their reason, and the closing line that CI reads. */
import type { TestEvent } from 'node:test/reporters';

export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  const failures: string[] = [];
  for await (const event of source) {
    if (event.type === 'test:pass' && event.data.details?.type !== 'suite') {
      if (event.data.skip !== undefined) skipped.push(`${event.data.name}: ${event.data.skip === true ? 'no reason given' : event.data.skip}`);
      else passed += 1;
    } else if (event.type === 'test:fail' && event.data.details?.type !== 'suite') {
      failed += 1;
      const error = event.data.details.error;
      const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause ?? error.message);
      failures.push(`FAIL ${event.data.file ?? ''} ${event.data.name}\n${cause.replace(/^/gm, '    ')}`);
      yield `FAIL ${event.data.name}\n`;
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      if (process.env['UNSEAT_TEST_OUTPUT'] === '1') yield event.data.message;
    }
  }
  for (const line of skipped) yield `skipped ${line}\n`;
  for (const text of failures) yield `${text}\n`;
  if (passed + failed + skipped.length === 0) {
    // A mistyped path must not look like a green run.
    process.exitCode = 1;
    yield 'no test was found\n';
  }
  yield `${passed} passed, ${failed} failed, ${skipped.length} skipped\n`;
}
