/** A self-contained reproducer of a scenario: one shell script, one small C program, nothing of this project. Pure. */
import type { Scenario } from '../../scenario/scenario.ts';
import type { MapSpec, ProcessSpec } from '../../scenario/process.ts';
import type { Step } from '../../scenario/step.ts';
import type { TextFile } from '../write-files.ts';
import { mkfsArguments, mountOptions } from '../guest/mkfs.ts';
import { HOLDER_C } from './holder-c.ts';

export interface Reproducer {
  readonly files: readonly TextFile[];
  /** Parts of the scenario that the script leaves out, said to the user. */
  readonly notShown: readonly string[];
}

export function reproducer(s: Scenario): Reproducer {
  const notShown: string[] = [];
  const script = [
    '#!/bin/sh', `# ${s.title}`, ...(s.about === undefined ? [] : [`# ${s.about}`]),
    '#', '# Run as root on a machine that may crash, with:', ...machineNotes(s).map((line) => `#   ${line}`),
    'set -u', 'gcc -O1 -o holder holder.c || exit 1', '', ...namespaces(s), ...filesystems(s), ...processes(s, notShown), '',
    ...s.steps.flatMap((step) => stepLines(s, step, notShown)), 'dmesg | tail -40', '',
  ];
  return { files: [{ path: 'reproduce.sh', text: script.join('\n'), executable: true }, { path: 'holder.c', text: HOLDER_C }], notShown };
}

const mib = (bytes: number): string => `${bytes / 1024 ** 2}M`;

function machineNotes(s: Scenario): string[] {
  const m = s.machine;
  return [
    `${m.cpus} CPUs, ${m.nodes ? m.nodes.map((n, i) => `node ${i}: ${mib(n.ram)}`).join(', ') : mib(m.ram)} of RAM`,
    ...m.memmapPmem.map((r) => `memmap=0x${r.size.toString(16)}!0x${r.at.toString(16)} on the kernel command line`),
    ...m.nvdimms.map((n) => `an NVDIMM of ${mib(n.size)} with ${mib(n.labels)} of labels; in QEMU: -machine q35,nvdimm=on -object memory-backend-ram,id=m-${n.name},size=${n.size + n.labels} -device nvdimm,memdev=m-${n.name},label-size=${n.labels}`),
    ...m.virtioMem.map((v) => `virtio-mem of ${mib(v.size)}, ${mib(v.requested)} requested, on node ${v.node}`),
    ...m.dimms.map((d) => `a pc-dimm of ${mib(d.size)} on node ${d.node}, plugged while running`),
    ...m.virtioPmem.map((v) => `virtio-pmem of ${mib(v.size)}`), ...m.cxl.map((c) => `a CXL type-3 device, ${mib(c.size)} ${c.memory}`),
  ];
}

/** Names as the kernel gives them on a machine that has nothing else. */
function kernelName(s: Scenario, device: string): { block: string; bind: string; driver: string; bus: string } {
  const index = s.machine.namespaces.findIndex((n) => n.name === device);
  const spec = s.machine.namespaces[index];
  const on = [...s.machine.memmapPmem, ...s.machine.nvdimms].findIndex((d) => d.name === spec?.on);
  const nth = s.machine.namespaces.slice(0, index).filter((n) => n.on === spec?.on).length;
  if (spec?.mode === 'devdax') {
    const kmem = s.systemRam.some((r) => r.device === device);
    return { block: `/dev/dax${on}.${nth}`, bind: `dax${on}.${nth}`, driver: kmem ? 'kmem' : 'device_dax', bus: 'dax' };
  }
  return { block: nth === 0 ? `/dev/pmem${on}` : `/dev/pmem${on}.${nth}`, bind: `${spec?.mode === 'fsdax' ? 'pfn' : 'namespace'}${on}.${nth}`, driver: 'nd_pmem', bus: 'nd' };
}

function namespaces(s: Scenario): string[] {
  const made = s.machine.namespaces.map((n) => {
    const on = [...s.machine.memmapPmem, ...s.machine.nvdimms].findIndex((d) => d.name === n.on);
    const where = n.size === undefined ? `-f -e namespace${on}.0` : `-r region${on} -s ${n.size}`;
    return `ndctl create-namespace ${where} -m ${n.mode}${n.mode === 'fsdax' || n.mode === 'devdax' ? ` -M ${n.map}` : ''}`;
  });
  const ram = s.systemRam.flatMap((r) => {
    const k = kernelName(s, r.device);
    return k.driver !== 'kmem' ? [] : [`echo ${k.bind} > /sys/bus/dax/drivers/device_dax/unbind`, `echo ${k.bind} > /sys/bus/dax/drivers/kmem/new_id`,
      ...(r.online === 'offline' ? [] : [`grep -l offline /sys/devices/system/memory/memory*/state | while read f; do echo online_${r.online === 'movable' ? 'movable' : 'kernel'} > $f; done`])];
  });
  return [...made, ...ram];
}

const filesystems = (s: Scenario): string[] => s.filesystems.flatMap((f) => {
  const [program, args] = mkfsArguments(f);
  const block = kernelName(s, f.on).block;
  return [`${program} ${args.join(' ')} ${block}`, `mkdir -p ${f.at}`, `mount -t ${f.type}${mountOptions(f) === '' ? '' : ` -o ${mountOptions(f)}`} ${block} ${f.at}`];
});

function processes(s: Scenario, notShown: string[]): string[] {
  return s.processes.filter((p) => p.started).flatMap((p) => start(s, p, notShown));
}

function start(s: Scenario, p: ProcessSpec, notShown: string[]): string[] {
  const map = p.maps[0];
  if (!map || p.maps.length > 1) notShown.push(`process ${p.name}: ${map ? 'all but its first map' : 'it maps nothing'}`);
  if (p.files.length > 0) notShown.push(`process ${p.name}: its open files`);
  if (p.pins.some((pin) => pin.by !== 'vmsplice')) notShown.push(`process ${p.name}: its ${p.pins.map((pin) => pin.by).join(', ')} pin`);
  if (!map) return [];
  const pin = p.pins.find((one) => one.by === 'vmsplice');
  return [`mkfifo ${p.name}.in; ./holder ${mapPath(s, map)} ${map.size} ${map.share} ${'align' in map ? map.align : '2M'} ${pin ? pin.size : 0} < ${p.name}.in & ${p.name.replaceAll('-', '_')}=$!`,
    `exec ${3 + s.processes.indexOf(p)}> ${p.name}.in; sleep 1`];
}

function mapPath(s: Scenario, map: MapSpec): string {
  if ('anonymous' in map) return `anonymous:${map.node ?? -1}`;
  return 'device' in map ? kernelName(s, map.device).block : map.file;
}

function stepLines(s: Scenario, step: Step, notShown: string[]): string[] {
  const tell = (name: string, word: string): string => `echo ${word} >&${3 + s.processes.findIndex((p) => p.name === name)}; sleep 1`;
  switch (step.verb) {
    case 'unbind': case 'bind': {
      const k = kernelName(s, step.argument.device);
      return [`echo ${k.bind} > /sys/bus/${k.bus}/drivers/${k.driver}/${step.verb}; echo "${step.verb}: $?"`];
    }
    case 'read': case 'write': return [tell(step.argument.process, step.verb)];
    case 'exit': return [tell(step.argument, 'exit')];
    case 'dropPin': return [tell(step.argument.process, 'drop')];
    case 'kill': return [`kill -9 $${step.argument.replaceAll('-', '_')}; sleep 1`];
    case 'stop': case 'cont': return [`kill -${step.verb.toUpperCase()} $${step.argument.replaceAll('-', '_')}`];
    case 'pagemap': return [`head -c 8192 /proc/$${step.argument.process.replaceAll('-', '_')}/pagemap > /dev/null`];
    case 'maps': case 'smaps': return [`cat /proc/$${step.argument.replaceAll('-', '_')}/${step.verb} > /dev/null; echo "${step.verb}: $?"`];
    case 'sync': return [`sync -f ${step.argument}`];
    case 'unmount': return [`umount ${step.argument}; echo "umount: $?"`];
    case 'mount': case 'mkfs': return filesystems({ ...s, filesystems: s.filesystems.filter((f) => f.at === step.argument) }).filter((line) => (step.verb === 'mount') === line.startsWith('mount'));
    case 'start': {
      const p = s.processes.find((one) => one.name === step.argument);
      return p ? start(s, p, notShown) : [];
    }
    case 'offline': return 'block' in step.argument
      ? [`echo offline > /sys/devices/system/memory/memory${step.argument.block / 2 ** 27}/state; echo "offline: $?"`]
      : ['for f in $(grep -lE "Movable|Normal" /sys/devices/system/memory/memory*/valid_zones | tail -3); do echo offline > $(dirname $f)/state; echo "offline $f: $?"; done'];
    case 'wait': return [`sleep ${step.argument}`];
    case 'look': return ['cat /proc/iomem'];
    default:
      notShown.push(`step ${step.verb}`);
      return [`# ${step.verb} ${JSON.stringify(step.argument)}: by hand`];
  }
}
