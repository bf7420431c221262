/** A whole scenario file, and the checks that one part makes on another. */
import { z } from 'zod';
import { EFFECTS, type Effect } from './effect.ts';
import { devicesOf, filesystem, machine, swap, systemRam } from './layout.ts';
import { processSchema } from './process.ts';
import { step } from './step.ts';
import { OF_MOUNT, OF_PROCESS } from './verbs-holder.ts';
import { placeholders } from './verbs-machine.ts';
import { kernels, name } from './words.ts';

const effect = z.enum(Object.keys(EFFECTS) as [Effect, ...Effect[]]);
const count = z.union([z.number().int().min(0), z.enum(['all', 'none', 'some'])]);

/** What was measured before on some kernels, or must hold: compared with what the run sees. */
export const expectation = z.strictObject({
  kernels: kernels.default('all'),
  effects: z.array(effect).optional().describe('Exactly these come of it.'),
  never: z.array(effect).optional().describe('None of these comes of it.'),
  step: name.optional().describe('The label of the step that the following facts are about.'),
  ends: z.enum(['returned', 'refused', 'hangs', 'spins', 'oops']).optional(),
  errno: z.string().regex(/^E[A-Z0-9]+$/).optional(),
  own: count.optional(), zero: count.optional(), sigbus: count.optional(), present: count.optional(),
  others: count.optional().describe('Pages with the mark of another process.'),
  log: z.array(z.string()).optional().describe('Findings that the kernel log has.'),
  value: z.string().optional().describe('Text of the file that was read.'),
  said: z.array(z.string()).optional().describe('Of the texts that the step watches for: exactly these were logged.'),
  flags: z.array(z.string()).optional().describe('Exactly these sets of page flags.'),
  hardware: z.array(z.string()).optional().describe('Hot-plug events, in order.'),
  blocks: z.array(z.string()).optional().describe('States of memory blocks, in order.'),
  iomem: z.array(z.string()).optional().describe('Names in /proc/iomem, in order.'),
  figures: z.record(z.string(), z.number()).optional().describe('Counts that the step must show; others may be there.'),
  calls: z.record(z.string(), z.string()).optional().describe('What calls of `files` must have said; others may be there.'),
  died: z.record(z.string(), z.string()).optional().describe('How processes must have ended.'),
  source: z.string().optional().describe('Where it is known from.'),
});

export const scenario = z.strictObject({
  scenario: name.describe('The name of the scenario; equal to the name of the file.'),
  title: z.string().min(1).max(120),
  about: z.string().optional(),
  clauses: z.array(z.string().regex(/^[1-9][a-h]$/)).default([]).describe('Clauses of docs/systems.md that it shows.'),
  kernels: kernels.default('all').describe('Kernels on which it can run at all.'),
  core: z.boolean().default(false).describe('Part of the core that continuous integration runs.'),
  machine,
  systemRam: z.array(systemRam).default([]),
  filesystems: z.array(filesystem).default([]),
  swaps: z.array(swap).default([]),
  processes: z.array(processSchema).default([]),
  steps: z.array(step).min(1),
  expect: z.array(expectation).default([]),
}).superRefine((s, context) => {
  const problem = (at: (string | number)[], message: string): void => context.addIssue({ code: 'custom', path: at, message });
  const devices = devicesOf(s.machine);
  const kindOf = new Map(devices.map((d) => [d.name, d.kind]));
  const known = [...kindOf.keys()].join(', ') || 'none is declared';
  devices.forEach((d, i) => {
    if (devices.findIndex((other) => other.name === d.name) !== i) problem(['machine', d.list, d.index, 'name'], `expected a name of its own; '${d.name}' is taken`);
  });
  s.machine.namespaces.forEach((n, i) => {
    const on = kindOf.get(n.on);
    if (on !== 'nvdimm' && on !== 'memmap-pmem' && on !== 'cxl') problem(['machine', 'namespaces', i, 'on'], `expected an nvdimm, memmap range or CXL device; known devices: ${known}`);
  });
  const device = (at: (string | number)[], wanted: string): void => {
    if (!kindOf.has(wanted)) problem(at, `expected a device of this machine (${known})`);
  };
  s.systemRam.forEach((r, i) => device(['systemRam', i, 'device'], r.device));
  s.filesystems.forEach((f, i) => device(['filesystems', i, 'on'], f.on));
  s.swaps.forEach((w, i) => device(['swaps', i, 'on'], w.on));
  const names = new Set(s.processes.map((p) => p.name));
  s.processes.forEach((p, i) => {
    if (s.processes.findIndex((other) => other.name === p.name) !== i) problem(['processes', i, 'name'], `expected a name of its own; '${p.name}' is taken`);
    p.maps.forEach((m, j) => { if ('device' in m) device(['processes', i, 'maps', j, 'device'], m.device); });
    p.pins.forEach((pin, j) => {
      if (!p.maps.some((m) => m.name === pin.map)) problem(['processes', i, 'pins', j, 'map'], 'expected the name of a map of this process');
      if (pin.by === 'o-direct-read' && pin.disk === undefined) problem(['processes', i, 'pins', j], 'expected a disk to read from');
    });
  });
  const mounts = new Set(s.filesystems.map((f) => f.at));
  s.steps.forEach((one, i) => {
    const a: unknown = one.argument;
    const field = (key: string): unknown => (typeof a === 'object' && a !== null && key in a ? (a as Record<string, unknown>)[key] : undefined);
    const at = ['steps', i, one.verb];
    const process = field('process') ?? (['start', 'maps', 'smaps', 'refork', 'files', 'stop', 'cont', 'exit', 'kill', 'hardOffline', 'numaMaps', ...OF_PROCESS].includes(one.verb) ? a : undefined);
    if (typeof process === 'string' && !names.has(process)) problem(at, `expected a process of this file (${[...names].join(', ') || 'none is declared'})`);
    const subject = field('device') ?? (['destroy', 'create', 'plug', 'pull', 'eject', 'press', 'open', 'swapOn', 'swapOff', 'plan', 'medium'].includes(one.verb) ? a : undefined);
    if (typeof subject === 'string') device(at, subject);
    const mount = field('at') ?? (['sync', 'unmount', 'mount', 'mkfs', ...OF_MOUNT].includes(one.verb) ? a : undefined);
    if (typeof mount === 'string' && !mounts.has(mount)) problem(at, `expected the mount point of a declared file system (${[...mounts].join(', ') || 'none'})`);
  });
  s.steps.forEach((one, i) => { for (const at of placeholders(JSON.stringify(['get', 'put', 'tool'].includes(one.verb) ? one.argument : ''))) device(['steps', i, one.verb], at); });
  const labels = new Set(s.steps.map((one) => one.label));
  s.expect.forEach((e, i) => {
    if (e.step !== undefined && !labels.has(e.step)) problem(['expect', i, 'step'], 'expected the label (as:) of a step');
  });
}).meta({ title: 'unseat scenario', description: 'A machine, what runs on it, what is done to it, and what is known to come of it.' });

export type Scenario = z.output<typeof scenario>;
export type Expectation = z.output<typeof expectation>;
