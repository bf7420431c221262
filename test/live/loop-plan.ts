/** A plan for taking a loop-mounted file system away, with the steps that a removal by detach of a pmem device has. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Host } from '../../src/host/host.ts';
import { holdersNow, nameOf, refOf } from '../../src/remove/acts/holders.ts';
import type { RemovalPlan, WayPlan } from '../../src/steps/removal-plan.ts';
import type { Way } from '../../src/steps/reason.ts';
import type { Step, StepAction } from '../../src/steps/step.ts';

/** What the real steps need (src/plan/steps). */
const NEEDS: Readonly<Record<string, string>> = {
  'stop-process': 'CAP_SYS_PTRACE', 'detach-process': 'CAP_SYS_PTRACE', 'release-process': 'CAP_SYS_PTRACE', 'confirm-no-holders': 'CAP_SYS_PTRACE', 'signal-process': 'CAP_KILL', unmount: 'CAP_SYS_ADMIN', deactivate: 'CAP_SYS_ADMIN',
};

type Draft = readonly [title: string, action: StepAction, undo?: StepAction];

/** `numbers`: device numbers of the file system and of the loop device. */
export function loopPlan(host: Host, mountPoint: string, device: string, numbers: ReadonlySet<string>, way: Way): { plan: RemovalPlan; way: WayPlan } {
  const { holders } = holdersNow(host, numbers);
  const namespaceId = statSync('/proc/self/ns/mnt').ino;
  const devices = [...numbers];
  const sync: Draft = [`sync ${mountPoint}`, { kind: 'sync', namespaceId, mountPoint }];
  const each = (make: (process: ReturnType<typeof refOf>, who: string) => Draft): Draft[] => holders.map((h) => make(refOf(h), nameOf(h)));
  const letGo: Draft[] = way === 'kill'
    ? each((process, who) => [`SIGKILL ${who}`, { kind: 'signal-process', process, signal: 'SIGKILL' }])
    : [
        ...each((process, who) => [`stop ${who}`, { kind: 'stop-process', process }, { kind: 'release-process', process }]), sync,
        ...each((process, who) => [`make ${who} let go`, { kind: 'detach-process', process, devices }]),
      ];
  const drafts: Draft[] = [
    sync, ...(way === 'graceful' ? [] : letGo), ['confirm', { kind: 'confirm-no-holders', devices, allowMounts: true }],
    [`umount ${mountPoint}`, { kind: 'unmount', namespaceId, mountPoint }], ['confirm', { kind: 'confirm-no-holders', devices, allowMounts: false }],
    [`losetup --detach ${device}`, { kind: 'deactivate', block: basename(device), program: 'losetup', args: ['--detach', device] }],
    ...(way === 'detach' ? each((process, who) => [`let ${who} go on`, { kind: 'release-process', process }]) : []),
  ];
  const steps = drafts.map<Step>(([title, action, undo], i) => ({ id: String(i + 1), action, title, why: '', undo: undo ?? null, needs: NEEDS[action.kind] ?? null, deadlineMs: 60_000 }));
  const wayPlan: WayPlan = { way, possible: true, blockers: [], consequences: [], steps };
  const id = `loop:${basename(device)}`;
  return {
    way: wayPlan,
    plan: { device: id, deviceName: basename(device), kernel: { release: null, profile: '', exact: false, says: '' }, forecasts: [], ways: [wayPlan], knownBad: [], unseen: [] },
  };
}
