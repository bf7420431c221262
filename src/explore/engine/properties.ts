/** What must hold when the engine has ended and everybody else has done what they wanted. */
import { simulatedHost } from '../../kernel/host/sim-host.ts';
import type { BuiltScenario } from '../../kernel/scenario/built.ts';
import { presentPages } from '../../kernel/setup/look.ts';
import { eachTask, TASK_OOPSED, TASK_STOPPED, taskPid, taskState } from '../../kernel/task.ts';
import type { RemovalRecord } from '../../remove/record.ts';
import type { EngineCase } from './engine-case.ts';
import { mountsOf } from './mounted.ts';

const PAGE = 4096;
const SETTINGS = ['/proc/sys/vm/memory_failure_early_kill'];

export function wrongWith(test: EngineCase, built: BuiltScenario, record: RemovalRecord | null): string[] {
  const { k } = built.world;
  const { files } = simulatedHost(built.world);
  const stat = files.stat(`/sys/block/${test.block}`);
  const gone = 'missing' in stat;
  const wrong: string[] = [];
  const { start, end } = test.range;
  for (const task of eachTask(k)) {
    const pages = gone ? presentPages(k, task, start / PAGE, end / PAGE) : 0;
    if (pages > 0) wrong.push(`pid ${taskPid(k, task)} still maps ${pages} page${pages === 1 ? '' : 's'} of the device, which is gone`);
    if (taskState(k, task) === TASK_STOPPED) wrong.push(`pid ${taskPid(k, task)} is left stopped`);
    if (taskState(k, task) === TASK_OOPSED) wrong.push(`pid ${taskPid(k, task)} died in the kernel`);
  }
  if (record?.status === 'done' && !gone) wrong.push('the removal says it is done and the device is there');
  if (record?.status === 'rolled-back' && gone) wrong.push('everything is said to be put back and the device is gone');
  if (record?.status === 'called-off' && gone) wrong.push('the removal says it was called off and the device is gone');
  if (record?.status === 'done' && test.way.way !== 'force' && mountsOf(built).length > 0) wrong.push('the device is gone and its file system still mounted');
  for (const line of record?.kernelLog ?? []) wrong.push(`the kernel log says: ${line}`);
  for (const path of SETTINGS) {
    const now = files.text(path);
    if (typeof now === 'string' && now.trim() !== (test.settings.get(path) ?? now.trim())) wrong.push(`${path} was ${test.settings.get(path)} and is ${now.trim()}`);
  }
  return wrong;
}

/** What a fresh machine's settings are. */
export function settingsOf(built: BuiltScenario): Map<string, string> {
  const { files } = simulatedHost(built.world);
  return new Map(SETTINGS.flatMap((path) => { const text = files.text(path); return typeof text === 'string' ? [[path, text.trim()] as const] : []; }));
}
