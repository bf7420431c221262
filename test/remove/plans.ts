/** Plans for the fake machine, in the order of docs/decisions (plan/ makes the same from an inventory). */
import type { RemovalPlan, WayPlan } from '../../src/steps/removal-plan.ts';
import type { Way } from '../../src/steps/reason.ts';
import type { Step, StepAction } from '../../src/steps/step.ts';
import type { FakeMachine } from './fake-machine.ts';
import { DRIVER, EARLY_KILL, FS_DEV, RANGE } from './fake-machine.ts';

type Draft = readonly [StepAction, (StepAction | null)?];

export function planFor(machine: FakeMachine, way: Way): { plan: RemovalPlan; way: WayPlan } {
  const refs = [...machine.processes.values()].map(({ pid, startTime }) => ({ pid, startTime }));
  const devices = [FS_DEV];
  const sync: Draft = [{ kind: 'sync', namespaceId: 1, mountPoint: '/mnt' }];
  const stops = refs.map<Draft>((process) => [{ kind: 'stop-process', process }, { kind: 'release-process', process }]);
  const unbind: Draft[] = [
    [{ kind: 'unbind', driverPath: DRIVER, device: 'pfn0.0' }, { kind: 'write', path: `${DRIVER}/bind`, text: 'pfn0.0' }],
    [{ kind: 'confirm-gone', ranges: [RANGE], paths: ['/sys/block/pmem0'] }],
  ];
  const confirm = (allowMounts: boolean): Draft => [{ kind: 'confirm-no-holders', devices, allowMounts }];
  const off: Draft[] = [[{ kind: 'unmount', namespaceId: 1, mountPoint: '/mnt' }], confirm(false)];
  const early: Draft = [{ kind: 'set', path: EARLY_KILL, to: '1', was: '' }, { kind: 'set', path: EARLY_KILL, to: '', was: '1' }];
  const back: Draft = [{ kind: 'set', path: EARLY_KILL, to: '', was: '1' }];
  const go = refs.map<Draft>((process) => [{ kind: 'release-process', process }]);
  const drafts: Record<Way, Draft[]> = {
    graceful: [sync, confirm(true), ...off, ...blocks(machine), ...unbind],
    detach: [sync, ...stops, sync, ...refs.map<Draft>((process) => [{ kind: 'detach-process', process, devices }]), confirm(true), ...off, ...unbind, ...go],
    force: [sync, ...stops, sync, early, ...refs.map<Draft>((process) => [{ kind: 'memory-failure', process, range: RANGE }]), ...unbind, back, ...go],
    kill: [sync, ...refs.map<Draft>((process) => [{ kind: 'signal-process', process, signal: 'SIGKILL' }]), confirm(true), ...off, ...unbind],
  };
  const steps = drafts[way].map<Step>(([action, undo], i) => ({ id: String(i + 1), action, title: action.kind, why: '', undo: undo ?? null, needs: null, deadlineMs: 1000 }));
  const wayPlan: WayPlan = { way, possible: true, blockers: [], consequences: [], steps };
  const plan: RemovalPlan = {
    device: 'fsdax:namespace0.0', deviceName: 'pmem0', kernel: { release: '6.12.0', profile: '6.12', exact: true, says: '' }, forecasts: [], ways: [wayPlan], knownBad: [], unseen: [],
  };
  return { plan, way: wayPlan };
}

const blocks = (machine: FakeMachine): Draft[] => [...machine.blocks.keys()].map((index) => {
  const path = `/sys/devices/system/memory/memory${index}/state`;
  return [{ kind: 'offline-block', index, path, was: 'online', zone: 'Movable' }, { kind: 'write', path, text: 'online_movable' }];
});
