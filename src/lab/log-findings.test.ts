import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countFindings, findingsIn, firstTrace } from './log-findings.ts';

test('the kernel says it in these words', () => {
  const CASES: [string, string[]][] = [
    ['BUG: unable to handle page fault for address: ffffea0004008000', ['oops']],
    ['Oops: 0000 [#1] PREEMPT SMP NOPTI', ['oops']],
    ['kernel BUG at lib/list_debug.c:59!', ['bug', 'oops']],
    ['BUG: Bad page map in process h  pte:8000000100408867 pmd:10b1d8067', ['bad-page-map']],
    ['EXT4-fs (pmem0): shut down requested (2)', ['fs-shutdown']],
    ['XFS (pmem0): Corruption of on-disk metadata (0x10) detected at xfs_dax_notify_ddev_failure', ['fs-shutdown']],
    ['kmem dax0.0: mapping0: 0x108000000-0x11fffffff cannot be hotremoved until the next reboot', ['hotremove-fails']],
    ['removing memory fails, because memory [0x0000000108000000-0x000000010fffffff] is onlined', ['hotremove-fails']],
    ['page dumped because: unmovable page', ['unmovable']],
    ['virtio_mem virtio1: reloading the driver is not supported', ['no-rebind']],
    ['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', ['rcu-stall']],
    ['WARNING: CPU: 0 PID: 1 at mm/memremap.c:473 free_zone_device_page+0x1', ['warning']],
    ['EXT4-fs (pmem0): mounted filesystem with ordered data mode', []],
    ['XFS (pmem0): DAX enabled. Warning: EXPERIMENTAL, use at your own risk', []],
  ];
  for (const [line, findings] of CASES) assert.deepEqual(findingsIn(line), findings, line);
});

test('findings are counted and the first trace is kept', () => {
  const lines = ['a', 'BUG: unable to handle page fault', 'RIP: 0010:x', 'I/O error, dev pmem0'];
  assert.deepEqual(countFindings(lines), { 'oops': 1, 'io-error': 1 });
  assert.equal(firstTrace(lines, 2), 'BUG: unable to handle page fault\nRIP: 0010:x');
  assert.equal(firstTrace(['a']), undefined);
});
