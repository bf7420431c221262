/** Steps about file systems, swap, stacked devices and units. */
import { isMissing } from '../../host/fact.ts';
import { displayName } from '../../host/names.ts';
import { unescapeOctal } from '../../machine/stack/escapes.ts';
import type { StepAction } from '../../steps/step.ts';
import type { ActResult } from '../../host/actions.ts';
import type { Act, Acted, Removal } from '../engine/removal.ts';
import { already, believed, no, yes } from '../engine/removal.ts';
import { letLatecomersGo } from './latecomers.ts';
import { BINDING_UNKNOWN, bindingOf, isShutDown, mountsAt } from './state.ts';

type Of<K extends StepAction['kind']> = Extract<StepAction, { kind: K }>;

export const saidBy = (r: ActResult): Acted => {
  const says = [r.errno, r.detail].filter((part) => part !== undefined).join(': ');
  return { ok: r.ok, definite: r.definite, ...(says === '' ? {} : { says }), ...(r.errno === undefined ? {} : { errno: r.errno }) };
};

/** By its own step, or by an unbind of which recent kernels tell the file system (XFS does not show that it was shut down). */
const mayHaveShutDown = (removal: Removal): boolean =>
  removal.header.steps.some(({ id, action }) => removal.begunBefore.has(id) && (action.kind === 'shutdown-filesystem' || action.kind === 'unbind'));

export const sync: Act<Of<'sync'>> = {
  before(removal, { namespaceId, mountPoint }) {
    if (bindingOf(removal) === 'unbound') return already('the device is unbound, which has written back what there was');
    if (mountsAt(removal.host, removal.devices, namespaceId, mountPoint) === 0) return already('it is not mounted any more');
    // EIO for ever: also after an unbind of which the file system was told, and which was taken back.
    return isShutDown(removal.host, removal.devices, namespaceId, mountPoint) ? already('the file system is shut down and writes nothing back any more') : yes;
  },
  async act(removal, { namespaceId, mountPoint }, { deadlineMs }) {
    const said = saidBy(await removal.actions.sync(namespaceId, mountPoint, deadlineMs));
    if (said.errno !== 'EIO' || !mayHaveShutDown(removal)) return said;
    return { ok: true, definite: true, says: 'EIO: an earlier run of this removal has shut the file system down, and it writes nothing back any more' };
  },
  after: believed,
};

/**
 * A process that maps and unmaps without end holds nothing at some moments, and may have been looked at in one of them: seen on 6.12, where
 * the umount was busy after everybody seen had been let go. So many looks in a row that find nobody: something else keeps it busy.
 */
const LOOKS = 8;

export const unmount: Act<Of<'unmount'>> = {
  before(removal, { namespaceId, mountPoint }) {
    const count = mountsAt(removal.host, removal.devices, namespaceId, mountPoint);
    if (count === 0) return already('it is not mounted any more');
    const binding = bindingOf(removal);
    if (binding === 'unknown') return no(BINDING_UNKNOWN);
    return binding === 'unbound' ? no('the device is unbound: umount can crash the kernel. Bind it again first.') : yes;
  },
  async act(removal, { namespaceId, mountPoint }, step) {
    for (let looks = 0; ;) {
      const said = saidBy(await removal.actions.unmount(namespaceId, mountPoint, step.deadlineMs));
      if (said.errno !== 'EBUSY' || removal.header.way === 'graceful' || looks === LOOKS) return said;
      const late = await letLatecomersGo(removal, step);
      if (late.why !== null) return { ...said, definite: late.letGo === 0, says: `${said.says ?? 'EBUSY'}; ${late.why}` };
      looks = late.letGo === 0 ? looks + 1 : 0;
    }
  },
  after(removal, { namespaceId, mountPoint }, _step, acted) {
    const count = mountsAt(removal.host, removal.devices, namespaceId, mountPoint);
    if (count === null) return acted.ok ? yes : no(acted.says ?? 'umount failed');
    // The plan has a step for each of several mounts on one another.
    return count === 0 || acted.ok ? yes : no(acted.says ?? `${displayName(mountPoint)} is still mounted`);
  },
};

export const shutdownFilesystem: Act<Of<'shutdown-filesystem'>> = {
  before(removal, { namespaceId, mountPoint }) {
    if (bindingOf(removal) === 'unbound') return already('the device is unbound');
    return mountsAt(removal.host, removal.devices, namespaceId, mountPoint) === 0 ? already('it is not mounted') : yes;
  },
  act: async (removal, { namespaceId, mountPoint, flag }) => saidBy(await removal.actions.shutdownFilesystem(namespaceId, mountPoint, flag)),
  after: believed,
};

const swaps = (text: string): string[] => text.split('\n').slice(1).map((line) => unescapeOctal(line.split(/\s+/)[0] ?? ''));

export const swapOff: Act<Of<'swap-off'>> = {
  before(removal, { path }) {
    const text = removal.host.files.text('/proc/swaps');
    return !isMissing(text) && !swaps(text).includes(path) ? already('it is not in use as swap') : yes;
  },
  act: async (removal, { path }, { deadlineMs }) => saidBy(await removal.actions.swapOff(path, deadlineMs)),
  after(removal, { path }, _step, acted) {
    const text = removal.host.files.text('/proc/swaps');
    if (isMissing(text)) return acted.ok ? yes : no(acted.says ?? 'swapoff failed');
    return swaps(text).includes(path) ? no(acted.says ?? 'it is still in use as swap') : yes;
  },
};

/** Where a stacked device shows that it is in use: a backing file, mapper tables, an array. */
const IN_USE = ['loop/backing_file', 'dm/name', 'md/array_state'];

export const deactivate: Act<Of<'deactivate'>> = {
  before: (removal, { block }) => (IN_USE.some((f) => !isMissing(removal.host.files.text(`/sys/block/${block}/${f}`))) ? yes : already('it is not active')),
  act: async (removal, { program, args }, { deadlineMs }) => saidBy(await removal.actions.run(program, args, deadlineMs)),
  async after(removal, { block }, _step, acted) {
    // A loop device that somebody still has open (udev looks at it) goes when that one closes it (LO_FLAGS_AUTOCLEAR).
    for (let waited = 0; acted.ok && isActive(removal, block) && waited < SETTLE_MS; waited += 100) await removal.host.time.sleep(100);
    return isActive(removal, block) ? no(acted.says ?? `${block} is still active`) : yes;
  },
};

const SETTLE_MS = 10_000;

function isActive(removal: Removal, block: string): boolean {
  const text = (name: string): string | null => {
    const content = removal.host.files.text(`/sys/block/${block}/${name}`);
    return isMissing(content) ? null : content;
  };
  const state = text('md/array_state');
  return text('loop/backing_file') !== null || text('dm/name') !== null || (state !== null && state !== 'clear');
}

export const stopUnit: Act<Of<'stop-unit'>> = {
  before: () => yes,
  act: async (removal, { unit }, { deadlineMs }) => saidBy(await removal.actions.run('systemctl', ['stop', '--', unit], deadlineMs)),
  after: believed,
};
