/** Exactly what the steps would write, inject or signal, in order, as lines. Nothing is touched. */
import { isMissing } from '../host/fact.ts';
import type { Host } from '../host/host.ts';
import type { Step } from '../steps/step.ts';
import { callText } from './call-text.ts';
import { foreseeDetach } from './ways/detach/foresee.ts';
import { physical } from './ways/force/fail-pages.ts';

export interface DryStep {
  readonly id: string;
  readonly title: string;
  /** One line for each write, call or signal. */
  readonly does: readonly string[];
}

export const dryRun = (host: Host, steps: readonly Step[], devices: ReadonlySet<string>): DryStep[] =>
  steps.map((step) => ({ id: step.id, title: step.title, does: linesOf(host, step, devices) }));

function linesOf(host: Host, { action }: Step, devices: ReadonlySet<string>): string[] {
  switch (action.kind) {
    case 'sync': return [`syncfs(${action.mountPoint}) in mount namespace ${action.namespaceId}`];
    case 'stop-unit': return [`run: systemctl stop -- ${action.unit}`];
    case 'wait-for-holders': return [`look at every process each 200 ms, for at most ${action.deadlineMs} ms`];
    case 'stop-process': return [`ptrace: seize and interrupt every thread of pid ${action.process.pid} (start time ${action.process.startTime})`];
    case 'detach-process': return detachLines(host, action.process, new Set([...devices, ...action.devices]));
    case 'memory-failure': return failureLines(host, action.process.pid, action.range, devices);
    case 'signal-process': return [`signal: ${action.signal} to pid ${action.process.pid} by pidfd (start time ${action.process.startTime})`];
    case 'release-process': return [`ptrace: detach from every thread of pid ${action.process.pid}`];
    case 'confirm-no-holders': return [`look at maps, fd, cwd, root and exe of every process${action.allowMounts ? '' : ', and at every mount namespace'}`];
    case 'unmount': return [`umount2(${action.mountPoint}, 0) in mount namespace ${action.namespaceId}`];
    case 'shutdown-filesystem': return [`ioctl: shutdown of ${action.mountPoint}, flag ${action.flag}, in mount namespace ${action.namespaceId}`];
    case 'swap-off': return [`swapoff(${action.path})`];
    case 'deactivate': return [`run: ${[action.program, ...action.args].join(' ')}`];
    case 'set': return [writeLine(action.path, action.to === '' ? 'what it was before' : action.to)];
    case 'offline-block': return [writeLine(action.path, 'offline')];
    case 'write': return [writeLine(action.path, action.text)];
    case 'unbind': return [writeLine(`${action.driverPath}/unbind`, action.device)];
    case 'confirm-gone': return ['read /proc/iomem, /sys and the kernel log'];
    case 'confirm-slot-off': return [`read ${action.slotPath}/power and adapter`];
    case 'note': return [];
  }
}

const writeLine = (path: string, text: string): string => `write: ${text} > ${path}`;

function detachLines(host: Host, process: { pid: number; startTime: number }, devices: ReadonlySet<string>): string[] {
  const foresight = foreseeDetach(host, process, devices);
  if (!foresight.possible) return [`cannot be done: ${foresight.why}`];
  const { copy, replace } = foresight.detach;
  const chains = [{ calls: copy, carriers: undefined }, ...replace];
  return chains.flatMap(({ calls, carriers }) => calls.map((call) => `inject into pid ${process.pid}${carriers?.only === undefined ? '' : `, thread ${carriers.only[0]}`}: ${callText(call)}  (${call.why})`));
}

const SHOWN = 4;

function failureLines(host: Host, pid: number, range: { start: number; end: number }, devices: ReadonlySet<string>): string[] {
  const mappings = host.processes.mappings(pid, devices);
  if (isMissing(mappings)) return [`pid ${pid}: its mappings cannot be read (${mappings.missing})`];
  const pageSize = host.identity.pageSize;
  const page = isMissing(pageSize) ? 4096 : pageSize;
  const found: number[] = [];
  for (const m of mappings) {
    const entries = new Uint8Array(((m.end - m.start) / page) * 8);
    const got = host.processes.pagemap(pid, m.start, entries);
    if (isMissing(got)) return [`pid ${pid}: pagemap cannot be read (${got.missing})`];
    for (let i = 0; i < got / 8; i += 1) {
      const address = physical(entries, i, page, range);
      if (address !== null) found.push(address);
    }
  }
  const file = '/sys/devices/system/memory/hard_offline_page';
  return [
    ...found.slice(0, SHOWN).map((address) => writeLine(file, `0x${address.toString(16)}`)),
    ...(found.length > SHOWN ? [`... at most ${found.length} writes, one for each page that is still mapped when its turn comes`] : []),
  ];
}
