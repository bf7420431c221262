import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabKernel } from '../kernels.ts';
import { allScenarios, scenarioNamed } from '../project.ts';
import { commandLine, needsNewQemu, qemuArguments } from './command.ts';

const kernel = (major: number, minor: number): LabKernel => ({ name: 'k', release: `${major}.${minor}.0`, version: '1', series: { major, minor }, vmlinuz: '/k/vmlinuz', modules: null });
const paths = { initramfs: '/i', channel: '/c', qmp: '/q', console: '/o', folder: '/f' };
const line = (name: string, k = kernel(7, 2)): string => qemuArguments(k, scenarioNamed(name), paths, { accel: 'tcg', shell: false }).join(' ');

test('an NVDIMM is as large as its usable size and its labels', () => {
  assert.match(line('fsdax-ext4-unbind'), /-machine q35,nvdimm=on .*memory-backend-ram,id=mem-nvdimm0,size=553648128 -device nvdimm,id=nvdimm0,memdev=mem-nvdimm0,label-size=16777216,node=0/);
});

test('nodes, memmap and virtio-mem', () => {
  assert.match(line('block-two-nodes'), /memory-backend-ram,id=ram0,size=1048576000 -numa node,nodeid=0,cpus=0-1,memdev=ram0 .*size=1098907648 -numa node,nodeid=1,memdev=ram1/);
  assert.match(commandLine(scenarioNamed('mixed-section').machine), /memmap=0xe000000!0x46000000/);
  assert.doesNotMatch(line('virtio-mem-unbind'), /unplugged-inaccessible/);
  assert.match(line('virtio-mem-unbind', kernel(5, 10)), /unplugged-inaccessible=off/);
});

test('CXL needs a CPU without the hypervisor bit, and slots come before their cards', () => {
  const text = line('cxl-ram-unplug');
  assert.match(text, /-cpu max,-hypervisor/);
  assert.ok(text.indexOf('cxl-rp,port=0') < text.indexOf('cxl-type3'));
});

test('old QEMU is enough exactly where nothing newer is asked for', () => {
  const fresh = allScenarios().filter((s) => needsNewQemu(s.machine)).map((s) => s.scenario);
  assert.ok(fresh.every((name) => /^(?:remove-|truth-b-)?(?:cxl|virtio|dimm|slot|memmap)/.test(name)), fresh.join());
  assert.ok(fresh.length >= 10);
});

test('every object is declared before the device that uses it, for every scenario', () => {
  for (const s of allScenarios()) {
    const args = qemuArguments(kernel(6, 12), s, paths, { accel: 'tcg', shell: false });
    const declared = new Set<string>();
    for (const arg of args) {
      for (const used of arg.matchAll(/(?:mem|lsa|volatile-mem|persistent-mem)dev=([\w-]+)|lsa=([\w-]+)/g)) assert.ok(declared.has(used[1] ?? used[2] ?? ''), `${s.scenario}: ${arg}`);
      const id = /^memory-backend-(?:ram|file),id=([\w-]+)/.exec(arg)?.[1];
      if (id !== undefined) declared.add(id);
    }
  }
});
