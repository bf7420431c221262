/** Verbs that look at the machine itself or use its own tools: files of sysfs and proc, flags of page frames, ndctl, daxctl and cxl. */
import { z } from 'zod';
import { name, pages } from './words.ts';

/** What a declared device can be asked for its name of: `{data}` is what its bus calls it, `{data.number}` the number of its region. */
export const NAMED = ['region', 'number', 'namespace', 'block', 'memdev', 'cxl', 'slot', 'acpi', 'dax'] as const;
const PLACE = /\{([a-z][a-z0-9-]*)(?:\.([a-z]+))?\}/g;

export interface Placeholder {
  readonly device: string;
  /** `bus`: what its bus calls it, as drivers are given it. */
  readonly what: (typeof NAMED)[number] | 'bus';
}

/** Devices that a text of a scenario names, in order. */
export const placeholders = (text: string): string[] => [...text.matchAll(PLACE)].map((m) => m[1] ?? '');

/** The text with the kernel's own names. */
export const withNames = (text: string, nameOf: (place: Placeholder) => string): string =>
  text.replace(PLACE, (_whole, device: string, what: string | undefined) => nameOf({ device, what: (what ?? 'bus') as Placeholder['what'] }));

/** What was read, with the names of this file in place of the kernel's. @param called what its bus calls each device */
export const withoutNames = (value: string, called: Iterable<readonly [device: string, name: string]>): string =>
  [...called].filter(([, name]) => name !== '').sort(([, a], [, b]) => b.length - a.length).reduce((all, [device, name]) => all.replaceAll(name, `{${device}}`), value);

const text = z.string().min(1).refine((value) => [...value.matchAll(PLACE)].every((m) => m[2] === undefined || (NAMED as readonly string[]).includes(m[2])),
  `expected {NAME} or {NAME.WHAT} with one of ${NAMED.join(', ')}`);
const file = text.regex(/^\/(?:sys|proc|dev)\//, 'expected a file of /sys, /proc or /dev').describe('{NAME} stands for what the kernel calls a device of this file, {NAME.region} for its region, and so on.');
const pattern = z.string().refine((value) => {
  try {
    return new RegExp(value).source !== '';
  } catch {
    return false;
  }
}, 'expected a regular expression');

const flag = z.string().regex(/^[A-Z_]*$/, 'expected a flag as tools/mm/page-types.c calls it');
const shown = { only: z.array(flag).optional().describe('Other frames are left out; an empty name stands for a frame without a flag.'), ignore: z.array(flag).default([]).describe('Flags that are left out of each frame.') };

export const machineVerbs = {
  get: z.strictObject({ file, lines: pattern.optional().describe('Of a file of many lines: those that match.') }).describe('Reads a file; its text is observed.'),
  put: z.strictObject({ file, text }).describe('Writes to a file.'),
  open: name.describe('Opens the node of a device and closes it.'),
  pageFlags: z.union([z.strictObject({ process: name, map: name.optional(), ...shown }), z.strictObject({ at: pages, size: pages, ...shown })])
    .describe('What /proc/kpageflags shows of the frames of a process, or of a range; REFERENCED and ACTIVE come and go and are left out.'),
  tool: z.array(text).min(2).refine((words) => ['ndctl', 'daxctl', 'cxl', 'rmmod', 'modprobe'].includes(words[0] ?? ''), 'expected ndctl, daxctl, cxl, rmmod or modprobe').describe('A program of the system with its arguments.'),
  offlineKernel: z.literal(true).describe("Writes offline to the state of the memory block that holds the kernel's own code."),
  numaMaps: name.describe('Reads /proc/PID/numa_maps.'),
  press: name.describe('Hardware: the attention button of its slot is pressed, and nobody waits for what comes.'),
} as const;

/** Flags that show how recently a page was used. */
export const PASSING = ['REFERENCED', 'ACTIVE'] as const;

/** What is observed of frames: the different sets of flags, each joined by `|`, sorted. */
export function distinctFlags(frames: Iterable<readonly string[]>, { only, ignore }: { readonly only?: readonly string[] | undefined; readonly ignore: readonly string[] }): string[] {
  const left = new Set<string>([...PASSING, ...ignore]);
  const found = new Set<string>();
  for (const frame of frames) found.add(frame.filter((one) => !left.has(one)).join('|'));
  return [...found].filter((set) => only === undefined || only.includes(set)).sort();
}
