/** A process of its own that removes a loop-mounted file system, or resumes that; it can be killed from outside. Arguments: MOUNT DEVICE NUMBERS WAY|resume|rollback [as-command: refused as `unseat remove` refuses] */
import { refuse } from '../../src/cli/refuse-removal.ts';
import { UnseatError } from '../../src/errors/unseat-error.ts';
import { openLive } from '../../src/host/live/open.ts';
import { remove, resume, rollback } from '../../src/remove/engine/run.ts';
import { findJournals } from '../../src/remove/journal/journal.ts';
import type { Way } from '../../src/steps/reason.ts';
import { loopPlan } from './loop-plan.ts';

const [mountPoint = '', device = '', numbers = '', what = 'detach', asCommand] = process.argv.slice(2);
const host = openLive();
const own = [process.pid];
// Start up what would start on the way: a kill then hits the removal, and not the loading of modules.
await host.trace?.putBackWhenGone?.([]);
process.stdout.write('ready\n');
await new Promise((done) => process.stdin.once('data', done));
if (what === 'resume' || what === 'rollback') {
  const journal = findJournals(host).find((j) => j.content.header.deviceName === device.replace('/dev/', ''));
  const record = journal === undefined ? null : await (what === 'resume' ? resume : rollback)(host, journal.path, journal.content, { own });
  process.stdout.write(`${JSON.stringify({ status: record?.status ?? 'no journal', last: record?.steps.at(-1) })}\n`);
} else {
  const set = new Set(numbers.split(','));
  const { plan, way } = loopPlan(host, mountPoint, device, set, what as Way);
  if (asCommand !== undefined) refuseAsCommand(() => refuse(host, plan, way));
  const record = await remove(host, plan, way, [...set], { own, acceptUnseen: asCommand === undefined, acceptPins: true });
  process.stdout.write(`${JSON.stringify({ status: record.status, last: record.steps.at(-1), steps: record.steps.length })}\n`);
}
host.close();
process.stdin.pause();

function refuseAsCommand(look: () => void): void {
  try {
    look();
  } catch (error) {
    if (!(error instanceof UnseatError)) throw error;
    process.stdout.write(`${JSON.stringify({ status: 'refused', ...error.toJSON() })}\n`);
    process.exit(3);
  }
}
