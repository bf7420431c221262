/** Our half of bench/page-flags.ts: the same scan through the host and the classification that `plan` uses. */
import { isMissing } from '../../src/host/fact.ts';
import { openLive } from '../../src/host/live/open.ts';
import { emptyTally, PAGE_CLASSES, tallyWords } from '../../src/machine/memory/page-flags.ts';

const host = openLive();
const buffer = new Uint8Array(256 * 1024);
const words = new Uint32Array(buffer.buffer);
const tally = emptyTally();
const started = performance.now();
const used = process.cpuUsage();
let pages = 0;
for (;;) {
  const got = host.files.readAt('/proc/kpageflags', pages * 8, buffer);
  if (isMissing(got)) throw new Error(`${got.path}: ${got.detail ?? got.missing}`);
  if (got === 0) break;
  tallyWords(words, got / 8, pages, 'kernel', tally);
  pages += got / 8;
}
const milliseconds = performance.now() - started;
const { user, system } = process.cpuUsage(used);
host.close();
console.log(JSON.stringify({ milliseconds, cpu: (user + system) / 1000, pages, counts: Object.fromEntries(PAGE_CLASSES.map((name, i) => [name, tally.counts[i]])) }));
