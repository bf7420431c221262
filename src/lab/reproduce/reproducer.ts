/** A self-contained reproducer of a scenario: one shell script, one small C program, nothing of this project. Pure. */
import type { Scenario } from '../../scenario/scenario.ts';
import type { MapSpec, ProcessSpec } from '../../scenario/process.ts';
import type { Step } from '../../scenario/step.ts';
import type { TextFile } from '../write-files.ts';
import { mkfsArguments, mountOptions } from '../guest/mkfs.ts';
import { hardwareLines, named } from './devices.ts';
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

function namespaces(s: Scenario): string[] {
  const regions = [...s.machine.memmapPmem, ...s.machine.nvdimms, ...s.machine.cxl.filter((c) => c.memory === 'persistent')];
  const made = s.machine.namespaces.map((n) => {
    const on = regions.findIndex((d) => d.name === n.on);
    const cxl = s.machine.cxl.some((c) => c.name === n.on);
    const where = n.size !== undefined ? `-r region${on} -s ${n.size}` : cxl ? `-r region${on}` : `-f -e namespace${on}.0`;
    return `ndctl create-namespace ${where} -m ${n.mode}${n.mode === 'fsdax' || n.mode === 'devdax' ? ` -M ${n.map}` : ''}`;
  });
  return [...hardwareLines(s), ...made, ...s.systemRam.flatMap((r) => asRam(s, r))];
}

function asRam(s: Scenario, r: Scenario['systemRam'][number]): string[] {
  const k = named(s, r.device);
  const bind = k !== null && k.driver.endsWith('/kmem') ? [`echo ${k.bind} > /sys/bus/dax/drivers/device_dax/unbind`, `echo ${k.bind} > /sys/bus/dax/drivers/kmem/new_id`] : [];
  return [...bind, ...(r.online === 'offline' ? [] : [`grep -l offline /sys/devices/system/memory/memory*/state | while read f; do echo online_${r.online === 'movable' ? 'movable' : 'kernel'} > $f; done`])];
}

const filesystems = (s: Scenario): string[] => s.filesystems.flatMap((f) => {
  const [program, args] = mkfsArguments(f);
  const block = named(s, f.on)?.block ?? `/dev/disk/by-id/virtio-${f.on}`;
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
  return 'device' in map ? (named(s, map.device)?.block ?? map.device) : map.file;
}

function stepLines(s: Scenario, step: Step, notShown: string[]): string[] {
  const tell = (name: string, word: string): string => `echo ${word} >&${3 + s.processes.findIndex((p) => p.name === name)}; sleep 1`;
  switch (step.verb) {
    case 'unbind': case 'bind': {
      const k = named(s, step.argument.device);
      if (k === null) break;
      const folder = step.argument.driver === undefined ? k.driver : k.driver.replace(/[^/]+$/, step.argument.driver);
      return [`echo ${k.bind} > ${folder}/${step.verb}; echo "${step.verb}: $?"`];
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
    case 'pull':
      notShown.push(`${step.argument} is pulled in QEMU's monitor`);
      return [`echo "now in QEMU's monitor: device_del ${step.argument}; then Enter here"; read _`];
    default:
  }
  notShown.push(`step ${step.verb}`);
  return [`# ${step.verb} ${JSON.stringify(step.argument)}: by hand`];
}
