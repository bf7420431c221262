/** Starts the processes of a scenario and brings them into the state that it declares. */
import type { MapSpec, ProcessSpec } from '../../../../scenario/process.ts';
import { Holder } from '../holder.ts';
import { deviceOf, NotAvailable, type Guest } from '../machine.ts';
import { withKernelNames } from '../names.ts';
import { blockOf } from './filesystems.ts';

export async function startProcesses(guest: Guest): Promise<void> {
  for (const spec of guest.scenario.processes) if (spec.started) await startProcess(guest, spec);
}

/** The kernel refused an open or a pin. */
export class CannotOpen extends NotAvailable {
  readonly errno: string;

  constructor(what: string, errno: string) {
    super(`${what}: ${errno}`);
    this.errno = errno;
  }
}

/** @throws NotAvailable where it could not map, open or pin what it declares */
export async function startProcess(guest: Guest, spec: ProcessSpec): Promise<Holder> {
  const holder = new Holder(spec, guest.scenario.processes.indexOf(spec) + 1);
  guest.holders.set(spec.name, holder);
  const must = async (command: string): Promise<Record<string, unknown>> => {
    const answered = await holder.ask(command, 60_000);
    if (answered.kind === 'reply' && answered.reply.ok) return answered.reply;
    if (answered.kind === 'reply' && ['open', 'io-uring', 'af-xdp', 'vmsplice'].includes(String(answered.reply['what'])) && answered.reply.errno !== undefined) throw new CannotOpen(`${spec.name}: ${command}`, answered.reply.errno);
    const why = answered.kind === 'reply' ? `${String(answered.reply['what'])} ${answered.reply.errno ?? ''}` : answered.kind === 'died' ? `it died (${answered.how})` : 'no answer';
    throw new NotAvailable(`${spec.name}: ${command}: ${why}`);
  };
  if (spec.mceKill !== undefined) await must(`mce ${spec.mceKill}`);
  for (const file of spec.files) await must(`open path=${withKernelNames(guest, file.path)} name=${file.path} write=${file.write} fsync=${file.fsync ? 1 : 0} direct=${file.direct ? 1 : 0}`);
  for (const map of spec.maps) {
    const made = await must(mapCommand(guest, spec, map));
    holder.maps.set(map.name, { spec: map, address: Number(made['address']), size: map.size });
  }
  for (const pin of spec.pins) {
    const disk = pin.disk === undefined ? '' : ` disk=${blockOf(guest, pin.disk)}`;
    await must(`pin name=${pin.name} by=${pin.by} map=${pin.map} size=${pin.size}${disk}`);
  }
  if (spec.cwd !== undefined) await must(`cwd ${spec.cwd}`);
  for (let i = 0; i < spec.forks; i += 1) holder.children.push(Number((await must('fork'))['pid']));
  if (spec.loop) await must('loop');
  return holder;
}

function mapCommand(guest: Guest, spec: ProcessSpec, m: MapSpec): string {
  const common = `name=${m.name} size=${m.size} share=${m.share} prot=${m.prot} touch=${m.touch} locked=${m.locked ? 1 : 0}`;
  if ('anonymous' in m) return `map ${common}${m.node === undefined ? '' : ` node=${m.node}`} hugetlb=${m.hugetlb ? 1 : 0} swapped=${m.swapped ? 1 : 0}`;
  if ('device' in m) {
    const char = deviceOf(guest, m.device).char;
    if (char === undefined) throw new NotAvailable(`${m.device} has no character device`);
    return `map ${common} file=${char} device=1 offset=${m.offset} keep=${spec.keepFds ? 1 : 0}`;
  }
  return `map ${common} file=${m.file} offset=${m.offset} align=${m.align} sync=${m.sync ? 1 : 0} nohuge=${m.nohuge ? 1 : 0} unlink=${m.unlink ? 1 : 0} keep=${spec.keepFds ? 1 : 0}`;
}
