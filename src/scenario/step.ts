/** The steps of a scenario: one verb each. Steps that look at something give the observations that kernels are compared by. */
import { z } from 'zod';
import { holderVerbs } from './verbs-holder.ts';
import { machineVerbs } from './verbs-machine.ts';
import { name, pages, path } from './words.ts';

const driver = z.string().regex(/^[a-z0-9_]+$/, 'expected the name of a driver').optional()
  .describe('Absent: the one that is bound (nd_pmem, device_dax, kmem, virtio_mem, virtio_pmem, cxl_pci, ...).');
const short = <T extends z.ZodType>(key: string, full: T) => z.union([name.transform((value) => ({ [key]: value })).pipe(full as z.ZodType<z.output<T>, Record<string, string>>), full]);
const onDevice = short('device', z.strictObject({ device: name, driver }));
const ofProcess = short('process', z.strictObject({ process: name, map: name.optional() }));

/** Every verb with its argument. */
export const verbs = {
  start: name.describe('Starts a process that was declared with started: false.'),
  read: ofProcess.describe('The process reads every page of its maps; what it finds is observed.'),
  write: ofProcess.describe('The process writes its mark to every page of its maps.'),
  pagemap: ofProcess.describe('Reads /proc/PID/pagemap of its maps and counts the pages present.'),
  maps: name.describe('Reads /proc/PID/maps (always harmless).'),
  smaps: name.describe('Reads /proc/PID/smaps.'),
  refork: name.describe('The process forks once more.'),
  usePin: short('process', z.strictObject({ process: name, pin: name.default('p') })).describe('Does I/O through a pin.'),
  dropPin: short('process', z.strictObject({ process: name, pin: name.default('p') })).describe('Lets a pin go.'),
  files: name.describe('The process writes, reads and fsyncs each of its open files.'),
  stop: name.describe('SIGSTOP.'),
  cont: name.describe('SIGCONT.'),
  exit: name.describe('The process ends by itself.'),
  kill: name.describe('SIGKILL.'),
  sync: path.describe('syncfs() on a mount.'),
  unmount: path,
  mount: path.describe('Mounts a declared file system (again).'),
  mkfs: path.describe('Makes a declared file system anew: the next owner.'),
  shutdown: z.strictObject({ at: path, flag: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(2) }).describe('The file system shutdown ioctl.'),
  unbind: onDevice.describe('Writes the device to the unbind file of its driver.'),
  bind: onDevice.describe('Binds the driver it had at the start, or the one named.'),
  newId: z.strictObject({ device: name, driver: z.enum(['kmem', 'device_dax']) }).describe('Hands a dax device to another driver through new_id.'),
  destroy: name.describe('Destroys a namespace (ndctl destroy-namespace -f).'),
  create: name.describe('Creates a declared namespace again.'),
  plug: name.describe('Hardware: the device is put in.'),
  pull: name.describe('Hardware: the device is asked to leave (attention button, eject request) and leaves when the kernel lets it.'),
  eject: name.describe('Guest side: writes 1 to the eject file of the ACPI device.'),
  slotPower: z.strictObject({ device: name, power: z.enum(['on', 'off']) }).describe('Writes to /sys/bus/pci/slots/N/power.'),
  resize: z.strictObject({ device: name, to: pages }).describe('virtio-mem: the host asks for this many bytes plugged.'),
  offline: z.union([name.transform((device) => ({ device })), z.strictObject({ device: name }), z.strictObject({ block: pages.describe('Physical address of the block.') })])
    .describe('Writes offline to the state of memory blocks: all of a device, or the one at an address.'),
  online: z.union([
    z.strictObject({ device: name, zone: z.enum(['movable', 'kernel']).default('movable') }),
    z.strictObject({ block: pages, zone: z.enum(['movable', 'kernel']).default('movable') }),
  ]),
  hardOffline: name.describe('memory_failure() through hard_offline_page for every device page the process maps, with early kill on.'),
  swapOn: name,
  swapOff: name,
  dropCaches: z.literal(true),
  remove: z.strictObject({ device: name, way: z.enum(['graceful', 'detach', 'force', 'kill']) }).describe('unseat remove.'),
  scan: z.literal(true).describe('unseat scan --json; its counts are observed.'),
  plan: name.describe('unseat plan DEVICE --json; its effects and blockers are observed.'),
  look: z.array(z.enum(['iomem', 'blocks', 'mounts', 'device'])).min(1).describe('Observes entries of /proc/iomem, memory block states, mounts, or whether the device node and driver are there.'),
  wait: z.number().min(0).max(120).describe('Seconds.'),
  ...machineVerbs,
  ...holderVerbs,
} as const;

export type Verb = keyof typeof verbs;
export const VERBS = Object.keys(verbs) as Verb[];

const optionalVerbs = Object.fromEntries(VERBS.map((verb) => [verb, verbs[verb].optional()])) as { [V in Verb]: z.ZodOptional<(typeof verbs)[V]> };

/** One step as the file has it: exactly one verb, perhaps a label and a deadline. */
export const step = z.strictObject({
  as: name.optional().describe('A label that expectations refer to.'),
  within: z.number().min(1).max(300).optional().describe('Seconds after which the step counts as hanging.'),
  watch: z.array(z.string().min(1)).default([]).describe('Texts that are looked for in what the kernel logs during the step.'),
  ...optionalVerbs,
}).superRefine((value, context) => {
  const used = VERBS.filter((verb) => value[verb] !== undefined);
  if (used.length !== 1) context.addIssue({ code: 'custom', message: used.length === 0 ? 'expected one verb' : `expected one verb, found ${used.join(' and ')}` });
}).transform((value): Step => {
  const verb = VERBS.find((v) => value[v] !== undefined) ?? 'wait';
  return { verb, argument: value[verb], label: value.as ?? null, withinSeconds: value.within ?? null, watch: value.watch } as Step;
});

/** A step as its readers have it: `verb` decides the type of `argument`. */
export type Step = { [V in Verb]: StepOf<V> }[Verb];
export interface StepOf<V extends Verb> {
  readonly verb: V;
  readonly argument: z.output<(typeof verbs)[V]>;
  readonly label: string | null;
  readonly withinSeconds: number | null;
  readonly watch: readonly string[];
}
