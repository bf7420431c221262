/** The act for each kind of step. */
import type { StepAction } from '../../steps/step.ts';
import type { Act } from '../engine/removal.ts';
import { confirmGone, confirmNoHolders, confirmSlotOff, waitForHolders } from './confirm.ts';
import { deactivate, shutdownFilesystem, stopUnit, swapOff, sync, unmount } from './mounts.ts';
import { detachProcess, memoryFailure, releaseProcess, signalProcess, stopProcess } from './processes.ts';
import { note, offlineBlock, set, unbind, write } from './settings.ts';

type Acts = { readonly [K in StepAction['kind']]: Act<Extract<StepAction, { kind: K }>> };

const ACTS: Acts = {
  'sync': sync, 'stop-unit': stopUnit, 'wait-for-holders': waitForHolders, 'stop-process': stopProcess, 'detach-process': detachProcess,
  'memory-failure': memoryFailure, 'signal-process': signalProcess, 'release-process': releaseProcess, 'confirm-no-holders': confirmNoHolders,
  'unmount': unmount, 'shutdown-filesystem': shutdownFilesystem, 'swap-off': swapOff, 'deactivate': deactivate, 'set': set,
  'offline-block': offlineBlock, 'write': write, 'unbind': unbind, 'confirm-gone': confirmGone, 'confirm-slot-off': confirmSlotOff, 'note': note,
};

export const actFor = (action: StepAction): Act<StepAction> => ACTS[action.kind] as unknown as Act<StepAction>;
