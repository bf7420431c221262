import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actions, ActResult, ProcessRef, Signal } from '../actions.ts';
import { isMissing, missing, type Fact } from '../fact.ts';
import type { Host } from '../host.ts';
import type { Stopped, Trace } from '../trace.ts';
import { Crashed } from './fault.ts';
import { callText } from './record.ts';
import { recordHost } from './recording-host.ts';

const OK: ActResult = { ok: true, definite: true, milliseconds: 1 };

/** A host with a state of its own: what was written, in order. */
function smallHost(): { host: Host; written: string[] } {
  const written: string[] = [];
  const act = (what: string): Promise<ActResult> => {
    written.push(what);
    return Promise.resolve(OK);
  };
  const actions = {
    write: (path: string, text: string) => act(`${path}=${text}`),
    signal: (p: ProcessRef, s: Signal) => act(`${s} ${p.pid}`),
    store: {
      append: (path: string, text: string) => { written.push(`${path}+${text}`); return Promise.resolve(); },
      read: (path: string): Fact<string> => missing('absent', path),
    },
  } as unknown as Actions;
  const trace = {
    stop: (p: ProcessRef): Promise<Fact<Stopped>> => Promise.resolve({ process: p, threads: [p.pid], carrier: p.pid }),
    inject: () => act('inject').then((r) => ({ ...r, results: [0] })),
    release: () => act('release'),
  } as unknown as Trace;
  const host = {
    kind: 'simulated', label: 'small', identity: {},
    files: { text: (path: string) => `content of ${path}`, readAt: (_: string, __: number, into: Uint8Array) => into.length },
    processes: { mappings: () => [] }, mounts: { all: () => [] }, log: { mark: () => 0 },
    time: { now: () => 0, wall: () => 'now', sleep: () => Promise.resolve() },
    actions, trace, close: () => { written.push('close'); },
  } as unknown as Host;
  return { host, written };
}

test('every call is recorded with its facet, arguments and answer, in order', async () => {
  const { host, written } = smallHost();
  const proxy = recordHost(host);
  assert.equal(proxy.host.files.text('/proc/iomem'), 'content of /proc/iomem');
  proxy.host.processes.mappings(1, new Set(['259:0', '103:1']));
  proxy.host.files.readAt('/proc/kpageflags', 8, new Uint8Array(16));
  await proxy.host.actions?.write('/sys/x/unbind', 'pfn0.0', 100);
  await proxy.host.actions?.store.append('/run/j', 'line');
  await proxy.host.trace?.release({ pid: 3, startTime: 4 });
  assert.deepEqual(proxy.calls.map((c) => `${callText(c)} -> ${c.answer}`), [
    'files.text("/proc/iomem") -> "content of /proc/iomem"',
    'processes.mappings(1, ["103:1","259:0"]) -> 0 items',
    'files.readAt("/proc/kpageflags", 8, "<16 bytes>") -> 16',
    'actions.write("/sys/x/unbind", "pfn0.0", 100) -> {"ok":true,"definite":true,"milliseconds":1}',
    'actions.store.append("/run/j", "line") -> done',
    'trace.release({"pid":3,"startTime":4}) -> {"ok":true,"definite":true,"milliseconds":1}',
  ]);
  assert.deepEqual(written, ['/sys/x/unbind=pfn0.0', '/run/j+line', 'release']);
});

test('a look can be made to find nothing, an action to fail with or without its effect', async () => {
  const { host, written } = smallHost();
  const proxy = recordHost(host, [
    { at: (c) => c.method === 'text', nth: 1, fault: { kind: 'missing', absence: 'denied', detail: 'EACCES' } },
    { at: (c) => c.method === 'write', nth: 0, fault: { kind: 'errno', errno: 'EBUSY' } },
    { at: (c) => c.method === 'write', nth: 1, fault: { kind: 'deadline', effect: 'done' } },
    { at: (c) => c.method === 'stop', fault: { kind: 'errno', errno: 'ESRCH' } },
    { at: (c) => c.method === 'inject', fault: { kind: 'errno', errno: 'EIO' } },
    { at: (c) => c.method === 'append', fault: { kind: 'errno', errno: 'ENOSPC' } },
  ]);
  assert.equal(proxy.host.files.text('/a'), 'content of /a');
  assert.deepEqual(proxy.host.files.text('/a'), { missing: 'denied', path: '/a', detail: 'EACCES' });
  assert.equal(proxy.host.files.text('/a'), 'content of /a');
  assert.deepEqual(await proxy.host.actions?.write('/s', '1', 9), { ok: false, errno: 'EBUSY', definite: true, milliseconds: 0 });
  assert.deepEqual(written, []);
  assert.deepEqual(await proxy.host.actions?.write('/s', '2', 9), { ok: false, errno: 'ETIMEDOUT', definite: false, milliseconds: 0 });
  assert.deepEqual(written, ['/s=2']);
  const stopped = await proxy.host.trace?.stop({ pid: 1, startTime: 1 }, 9);
  assert.ok(stopped !== undefined && isMissing(stopped) && stopped.missing === 'vanished');
  assert.deepEqual((await proxy.host.trace?.inject({ pid: 1, startTime: 1 }, [], 9))?.results, []);
  await assert.rejects(async () => proxy.host.actions?.store.append('/run/j', 'x'), { code: 'WRITE_FAILED' });
});

test('a call that never returns stays pending while others go on', async () => {
  const { host, written } = smallHost();
  const proxy = recordHost(host, [{ at: 0, fault: { kind: 'never', effect: 'done' } }]);
  let settled = false;
  void proxy.host.actions?.write('/s', '1', 9).then(() => { settled = true; }, () => { settled = true; });
  await proxy.host.actions?.write('/s', '2', 9);
  assert.equal(settled, false);
  assert.deepEqual(written, ['/s=1', '/s=2']);
});

for (const when of ['before', 'after'] as const) {
  test(`after a crash ${when} a call, nothing that a finally block does reaches the host`, async () => {
    const { host, written } = smallHost();
    const proxy = recordHost(host, [{ at: (c) => c.method === 'write', nth: 1, fault: { kind: 'crash', when } }]);
    const pending = (async () => {
      try {
        await proxy.host.actions?.write('/s', '1', 9);
        await proxy.host.actions?.write('/s', '2', 9);
      } finally {
        await assert.rejects(async () => proxy.host.actions?.write('/s', 'undo', 9), Crashed);
        await assert.rejects(async () => proxy.host.trace?.release({ pid: 1, startTime: 1 }), Crashed);
        await assert.rejects(async () => proxy.host.actions?.store.append('/run/j', 'x'), Crashed);
        assert.throws(() => proxy.host.files.text('/a'), Crashed);
        assert.throws(() => proxy.host.time.now(), Crashed);
        assert.throws(() => proxy.host.close(), Crashed);
      }
    })();
    await assert.rejects(pending, Crashed);
    assert.deepEqual(written, when === 'before' ? ['/s=1'] : ['/s=1', '/s=2']);
    assert.equal(proxy.crashed?.call, 1);
    assert.equal(proxy.calls.length, 2);
  });
}

test('an asynchronous call under way at the crash does not come back', async () => {
  const { host } = smallHost();
  const proxy = recordHost(host, [{ at: (c) => c.method === 'text', fault: { kind: 'crash', when: 'before' } }]);
  const underWay = proxy.host.actions?.write('/s', '1', 9) as Promise<ActResult>;
  assert.throws(() => proxy.host.files.text('/a'), Crashed);
  await assert.rejects(underWay, Crashed);
});

test('a fault that no host could produce is a mistake of the test and says so', () => {
  const proxy = recordHost(smallHost().host, [{ at: 0, fault: { kind: 'never' } }]);
  assert.throws(() => proxy.host.files.text('/a'), /does not fit files\.text/);
});
