/** Without privileges: every step that lacks one is named with it, before anything is asked for or touched. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODES, EXIT } from '../../src/errors/codes.ts';
import { UnseatError } from '../../src/errors/unseat-error.ts';
import type { Host } from '../../src/host/host.ts';
import { refuse } from '../../src/cli/refuse-removal.ts';
import type { Blocker, Way } from '../../src/steps/reason.ts';
import { setUp } from './every-call/machine.ts';
import { fieldsOf, HELD } from './every-call/cases.ts';

const ALL = 0xffffffff;
const ADMIN = 1 << 21;
const PTRACE = 1 << 19;

function refusal(way: Way, uid: number, capabilities: number, blockers: readonly Blocker[] = []): UnseatError {
  const c = HELD.find((one) => one.way === way && one.name.startsWith('fsdax')) ?? assert.fail(way);
  const s = setUp(c);
  const host: Host = { ...fieldsOf(s.host), identity: { ...s.host.identity, uid, capabilities: [capabilities >>> 0, 0x1ff] } };
  try {
    refuse(host, s.plan, { ...s.way, blockers });
  } catch (error) {
    assert.ok(error instanceof UnseatError);
    return error;
  }
  return assert.fail('not refused');
}

test('an ordinary user: every step with what it needs, and as whom to run it', () => {
  const error = refusal('detach', 65534, 0);
  assert.deepEqual([error.code, CODES[error.code].exit], ['NO_PERMISSION', EXIT.refused], 'refused before anything was touched');
  assert.match(error.message, /^\d+ of \d+ steps need privileges that this user lacks; nothing was changed/);
  assert.match(error.facts.seen ?? '', /CAP_SYS_PTRACE for step 2 \(stop pid 100 \(h\)\).*CAP_SYS_ADMIN for step \d+ \(umount \/mnt\).*CAP_DAC_OVERRIDE for step \d+ \(write pfn0\.0 to .*unbind\)/);
  assert.equal(error.facts.next, 'Run it as root.');
});

test('root without some capabilities: those alone, and where root has them; files of root need none', () => {
  const ptrace = refusal('detach', 0, ALL & ~PTRACE & ~2);
  assert.match(ptrace.facts.seen ?? '', /^CAP_SYS_PTRACE for step 2/);
  assert.doesNotMatch(ptrace.facts.seen ?? '', /CAP_SYS_ADMIN|CAP_DAC_OVERRIDE/);
  assert.match(ptrace.facts.next ?? '', /This root lacks CAP_SYS_PTRACE \(a container, or a bounding set\): run it where root has it/);
  assert.match(refusal('force', 0, ALL & ~ADMIN).facts.seen ?? '', /^CAP_SYS_ADMIN for step \d+ \(write 1 to .*early_kill\)/);
});

test('who holds it is said before privileges, privileges before what could not be seen', () => {
  const blocker = (reason: Blocker['reason']): Blocker => ({ reason, subject: 'x', text: `because of ${reason}`, next: 'Do something.', overcomeBy: [] });
  assert.equal(refusal('detach', 65534, 0, [blocker('hidden'), blocker('held-by-mapping')]).code, 'HELD');
  assert.equal(refusal('detach', 65534, 0, [blocker('hidden')]).code, 'NO_PERMISSION');
  const hidden = refusal('detach', 0, ALL, [blocker('hidden')]);
  assert.deepEqual([hidden.code, hidden.message.includes('because of hidden')], ['REFUSED', true]);
});
