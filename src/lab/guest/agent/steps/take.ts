/** Takes one step: the verb decides. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessSpec } from '../../../../scenario/process.ts';
import type { Step } from '../../../../scenario/step.ts';
import { HELPER, once } from '../once.ts';
import type { Guest } from '../machine.ts';
import { blockOf, filesystemAt, mkfs, mountFs, swapOn } from '../setup/filesystems.ts';
import { CannotOpen, startProcess } from '../setup/processes.ts';
import { bind, create, destroy, newId, plug, pull, resize, setBlocks, slotPower, unbind } from './drivers.ts';
import { isHolderStep, takeHolderStep } from './holders.ts';
import { look } from './look.ts';
import { get, kernelCode, open, pageFlags, press, put, tool } from './machine-files.ts';
import { DONE, fromAnswer, fromOnce, notAvailable, type Seen } from './outcome.ts';
import { holderOf, pagemap, touch } from './touch.ts';
import { plan, remove, scan } from './unseat.ts';

export const DEFAULT_SECONDS = 20;

/** @param crashed true once the kernel log shows that whoever is waited for will not come back */
export async function takeStep(guest: Guest, step: Step, crashed: () => boolean): Promise<Seen> {
  const ms = (step.withinSeconds ?? DEFAULT_SECONDS) * 1000;
  if (isHolderStep(step)) return takeHolderStep(guest, step, ms);
  const helper = async (...args: string[]): Promise<Seen> => fromOnce(await once(args, ms, HELPER));
  switch (step.verb) {
    case 'start': {
      const spec = guest.scenario.processes.find((p) => p.name === step.argument);
      return spec ? startLate(guest, spec) : DONE;
    }
    case 'read': case 'write': return touch(guest, step.verb, step.argument.process, step.argument.map, ms);
    case 'pagemap': return pagemap(guest, step.argument.process, step.argument.map, ms);
    case 'hardOffline': {
      await once(['write', '/proc/sys/vm/memory_failure_early_kill', '1'], 5000);
      return pagemap(guest, step.argument, undefined, ms, 'hard-offline');
    }
    case 'maps': case 'smaps': return helper('read', `/proc/${holderOf(guest, step.argument).pid}/${step.verb}`);
    case 'refork': return ask(guest, step.argument, 'fork', ms);
    case 'usePin': return ask(guest, step.argument.process, `use pin=${step.argument.pin}`, ms);
    case 'dropPin': return ask(guest, step.argument.process, `drop pin=${step.argument.pin}`, ms);
    case 'files': return files(guest, step.argument, ms);
    case 'stop': holderOf(guest, step.argument).signal('SIGSTOP'); return DONE;
    case 'cont': holderOf(guest, step.argument).signal('SIGCONT'); return DONE;
    case 'exit': case 'kill': return end(guest, step.verb, step.argument, ms, crashed);
    case 'sync': return helper('syncfs', step.argument);
    case 'unmount': return helper('umount', step.argument);
    case 'mount': return fromOnce(await mountFs(guest, filesystemAt(guest, step.argument), ms));
    case 'mkfs': await mkfs(guest, filesystemAt(guest, step.argument)); return DONE;
    case 'shutdown': return helper('shutdown', step.argument.at, String(step.argument.flag));
    case 'unbind': return unbind(guest, step.argument.device, driverOf(step.argument), ms);
    case 'bind': return bind(guest, step.argument.device, driverOf(step.argument), ms);
    case 'newId': return newId(guest, step.argument.device, step.argument.driver, ms);
    case 'destroy': return destroy(guest, step.argument, ms);
    case 'create': return create(guest, step.argument);
    case 'plug': return plug(guest, step.argument);
    case 'pull': return pull(guest, step.argument, ms);
    case 'eject': return helper('write', `/sys/bus/acpi/devices/${guest.devices.get(step.argument)?.kernelName ?? '-'}/eject`, '1');
    case 'slotPower': return slotPower(guest, step.argument.device, step.argument.power, ms);
    case 'resize': return resize(guest, step.argument.device, step.argument.to, ms);
    case 'offline': return setBlocks(guest, step.argument, null, ms);
    case 'online': return setBlocks(guest, step.argument, step.argument.zone, ms);
    case 'swapOn': return fromOnce(await swapOn(guest, step.argument, ms));
    case 'swapOff': return helper('swapoff', blockOf(guest, step.argument));
    case 'dropCaches': return helper('write', '/proc/sys/vm/drop_caches', '3');
    case 'remove': return remove(guest, step.argument.device, step.argument.way, ms);
    case 'scan': return scan(guest, ms);
    case 'plan': return plan(guest, step.argument, ms);
    case 'look': return look(guest, step.argument);
    case 'offlineKernel': return setBlocks(guest, { block: kernelCode() }, null, ms);
    case 'numaMaps': return helper('read', `/proc/${holderOf(guest, step.argument).pid}/numa_maps`);
    case 'get': return get(guest, step.argument);
    case 'put': return put(guest, step.argument, ms);
    case 'open': return open(guest, step.argument);
    case 'pageFlags': return pageFlags(guest, step.argument);
    case 'tool': return tool(guest, step.argument, ms);
    case 'press': return press(guest, step.argument);
    case 'wait': await sleep(step.argument * 1000); return DONE;
    default: return notAvailable('the lab does not know this verb');
  }
}

const driverOf = (argument: { readonly device: string; readonly driver?: string | undefined }): string | undefined => argument.driver;

/** A file that is not there says so; everything else that stops a start is a matter of the guest. */
async function startLate(guest: Guest, spec: ProcessSpec): Promise<Seen> {
  try {
    await startProcess(guest, spec);
    return DONE;
  } catch (error) {
    if (error instanceof CannotOpen) return { ending: 'refused', errno: error.errno };
    throw error;
  }
}

async function ask(guest: Guest, name: string, command: string, ms: number): Promise<Seen> {
  const holder = holderOf(guest, name);
  return fromAnswer(holder, await holder.ask(command, ms));
}

async function files(guest: Guest, name: string, ms: number): Promise<Seen> {
  const holder = holderOf(guest, name);
  const answered = await holder.ask('io', ms);
  return answered.kind === 'reply' ? { ...fromAnswer(holder, answered), calls: (answered.reply['calls'] ?? {}) as Record<string, string> } : fromAnswer(holder, answered);
}

async function end(guest: Guest, how: 'exit' | 'kill', name: string, ms: number, crashed: () => boolean): Promise<Seen> {
  const holder = holderOf(guest, name);
  if (how === 'kill') holder.signal('SIGKILL');
  else void holder.ask('exit', ms);
  const died = await holder.awaitEnd(ms, crashed);
  if (died !== null) return { ending: 'returned', died: { [name]: died } };
  return { ending: crashed() ? 'oops' : 'hangs', died: { [name]: 'still there' } };
}

