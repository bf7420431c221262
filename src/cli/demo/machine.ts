/** The machines of the demo: small scenarios, written here so that the demo needs no file. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { vmaStart } from '../../kernel/mm/mm_struct.ts';
import { RELEASES } from '../../profile/releases/index.ts';
import { profileByName } from '../../profile/select.ts';
import { buildScenario, type BuiltScenario } from '../../kernel/scenario/build.ts';
import { readScenario } from '../../scenario/read.ts';

const PMEM = `
scenario: demo-pmem
title: A database and a shell on persistent memory
machine:
  nvdimms: [{name: nvdimm0, size: 512M}]
  namespaces: [{name: data, on: nvdimm0, mode: fsdax}]
filesystems: [{on: data, at: /mnt, type: ext4}]
processes:
  - {name: database, maps: [{file: /mnt/table, size: 4M}], keepFds: true}
  - {name: report, maps: [{file: /mnt/table, size: 4M, share: private, touch: write-every-other}]}
  - {name: shell, cwd: /mnt}
steps: [{sync: /mnt}]
`;

const RAM = `
scenario: demo-ram
title: Persistent memory used as System RAM, with a pinned buffer on it
machine:
  nodes: [{ram: 2G}, {ram: 0}]
  nvdimms: [{name: nvdimm0, size: 512M, node: 1}]
  namespaces: [{name: data, on: nvdimm0, mode: devdax}]
systemRam: [{device: data, online: kernel}]
processes:
  - {name: cache, maps: [{anonymous: true, size: 64M, node: 1}]}
steps: [{look: [blocks]}]
`;

export interface DemoMachine {
  readonly built: BuiltScenario;
  /** First virtual page of each process's mapping: what is mapped there later may be something else. */
  readonly mappedAt: ReadonlyMap<string, number>;
}

function build(text: string, name: string, kernel: string): DemoMachine {
  const profile = profileByName(kernel);
  if (profile === null) throw new UnseatError('NOT_FOUND', 'there is no profile of that name', { subject: '--kernel', seen: kernel, next: `Known releases: ${RELEASES.map((r) => r.name).join(', ')}.` });
  const built = buildScenario(readScenario(text, name), profile);
  const mappedAt = new Map([...built.processes].flatMap(([process, { maps }]) => [...maps.values()].slice(0, 1).map((vma) => [process, vmaStart(built.world.k, vma)] as const)));
  return { built, mappedAt };
}

export const pmemMachine = (kernel: string): DemoMachine => build(PMEM, 'demo-pmem', kernel);
export const ramMachine = (kernel: string): DemoMachine => build(RAM, 'demo-ram', kernel);
