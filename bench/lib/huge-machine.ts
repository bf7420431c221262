/** What bench/huge-machine.ts measures, as a process of its own: the inventory and the plan of a made-up machine. Arguments: blocks, processes, device, which processes hold it (each so manieth). Prints JSON. */
import { inventoryFor, optionsOf } from '../../src/plan/inventory.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { probesOf } from '../../src/plan/probes.ts';
import { selectProfile } from '../../src/profile/select.ts';
import { bigMachine } from '../../test/big-machine.ts';

const [blocks = '65536', processes = '20000', name = 'dax0.0', every = '10'] = process.argv.slice(2);
const host = bigMachine({ blocks: Number(blocks), processes: Number(processes), every: Number(every) });
const empty = process.memoryUsage.rss();
const started = performance.now();
const used = process.threadCpuUsage();
const inventory = inventoryFor(host, name);
const { machine, device } = inventory;
const inventoried = performance.now();
const plan = makePlan(machine, device, optionsOf(inventory), selectProfile(machine.kernel.release, probesOf(machine)));
const done = performance.now();
const { user, system } = process.threadCpuUsage(used);
console.log(JSON.stringify({
  milliseconds: done - started, cpu: (user + system) / 1000, inventory: inventoried - started, blocks: device.blocks.length, all: machine.memory.blocks.length,
  holders: (machine.holders[device.id] ?? []).filter((h) => h.kind === 'process').length, ways: plan.ways.map((way) => `${way.way} ${way.steps.length}`),
  emptyBytes: empty, peakBytes: process.resourceUsage().maxRSS * 1024,
}));
