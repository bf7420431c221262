/** Lines of litmus threads as steps of a scenario: what user space does to make a kernel run that path. */
import { parseOperation } from '../litmus/operation.ts';
import type { Litmus } from '../litmus/schema.ts';
import type { LineEnding } from './coarse.ts';
import type { LineSpan } from './line-spans.ts';
import { mapOf, pathOf, refuse, type ScenarioInput, type Surroundings } from './machine.ts';

export type StepInput = ScenarioInput['steps'][number];
type ProcessInput = NonNullable<ScenarioInput['processes']>[number];

export interface Translated {
  readonly steps: readonly StepInput[];
  /** Processes that the steps start: new owners, latecomers. */
  readonly processes: readonly ProcessInput[];
  /** What is not the same as in the litmus test, for people. */
  readonly notes: readonly string[];
}

/** Seconds until a step that waits counts as one that hangs. */
const HANGS_AFTER = 15;

export function stepsOf(test: Litmus, around: Surroundings, order: readonly LineSpan[], endings: readonly LineEnding[]): Translated {
  const translator = new Translator(test, around);
  order.forEach((span, i) => translator.line(span, endings[i] ?? 'returned'));
  return translator.end();
}

class Translator {
  private readonly test: Litmus;
  private readonly around: Surroundings;
  private readonly steps: StepInput[] = [];
  private readonly processes: ProcessInput[];
  private readonly notes: string[] = [];
  private readonly labels = new Map<string, number>();
  /** Devices that were handed over and wait for their next owner to be able to use them. */
  private readonly handedOver = new Set<string>();

  constructor(test: Litmus, around: Surroundings) {
    this.test = test;
    this.around = around;
    this.processes = [...around.processes];
  }

  end(): Translated {
    for (const name of this.handedOver) this.notes.push(`${name} belongs to somebody else from some point on; who uses it before it is bound again cannot be seen, only what the old holder still reaches.`);
    for (const [name, spec] of Object.entries(this.test.processes)) {
      const node = spec.opens.find((file) => Object.hasOwn(this.test.machine.devdax, file));
      if (node !== undefined) this.notes.push(`${name} has the node of ${node} open by a mapping that it never touches: processes of a scenario open files only.`);
    }
    return { steps: this.steps, processes: this.processes, notes: this.notes };
  }

  line({ text }: LineSpan, ending: LineEnding): void {
    const { verb, args: [first = '', second = ''], options } = parseOperation(text);
    const add = (step: StepInput): void => { this.add(step, ending); };
    switch (verb) {
      case 'unbind': return add({ unbind: this.isCxl(first) ? { device: first, driver: 'cxl_mem' } : first });
      case 'bind':
        add({ bind: this.isCxl(first) ? { device: first, driver: 'cxl_mem' } : first });
        return this.newOwner(first);
      case 'hand-over': this.handedOver.add(first); return;
      case 'destroy': return add({ destroy: first });
      case 'umount':
        if (second === 'lazy') throw refuse('scenarios have no lazy umount');
        return add({ unmount: this.mount(first) });
      case 'shutdown': return add({ shutdown: { at: this.mount(first), flag: Number(options['flag'] ?? 2) as 0 | 1 | 2 } });
      case 'sync': return add({ sync: this.mount(first) });
      case 'drop-inodes': return add({ dropCaches: true });
      case 'force-pages': return add({ hardOffline: first });
      case 'read': case 'ram-read': return add({ read: first });
      case 'write': case 'ram-write': return add({ write: first });
      case 'pagemap': return add({ pagemap: first });
      case 'smaps': return add({ smaps: first });
      case 'fork': return add({ refork: first });
      case 'exit': case 'ram-free': return add({ exit: first });
      case 'stop': return add({ stop: first });
      case 'continue': return add({ cont: first });
      case 'release': case 'ram-unpin': case 'ram-put': return add({ dropPin: first });
      case 'io-done': return add({ dropPin: first });
      case 'io-uring': case 'pipe-read': return add({ usePin: first });
      case 'online': return add({ online: { device: first, zone: 'movable' } });
      case 'online-kernel': return add({ online: { device: first, zone: 'kernel' } });
      case 'offline': return add({ offline: first });
      case 'alloc': return this.allocator();
      case 'button': return add({ pull: this.card(first) });
      case 'power': return add({ slotPower: { device: this.card(first), power: options['on'] === '1' ? 'on' : 'off' } });
      case 'pass': return add({ wait: Math.ceil(Number(options['tenths'] ?? 51) / 10) });
      case 'map': return this.latecomer(first, second);
      case 'touch': return add({ write: first });
      default: throw refuse(`"${text}" is nothing that a program or an operator can make a running kernel do from outside`);
    }
  }

  private add(step: StepInput, ending: LineEnding): void {
    const verb = Object.keys(step)[0] as string;
    const word = verb.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    const count = (this.labels.get(word) ?? 0) + 1;
    this.labels.set(word, count);
    this.steps.push({ ...step, as: count === 1 ? word : `${word}-${count}`, ...(ending === 'waits' ? { within: HANGS_AFTER } : {}) });
  }

  private isCxl(device: string): boolean {
    return this.test.machine.ram[device]?.by === 'cxl';
  }
  private mount(device: string): string {
    const at = this.around.mountOf.get(device);
    if (at === undefined) throw refuse(`${device} has no file system`);
    return at;
  }
  private card(slot: string): string {
    const spec = this.test.machine.slots[slot];
    if (spec?.kind !== 'pciehp') throw refuse(`the lab's cards sit in slots of pciehp, ${slot} is none`);
    return spec.card;
  }

  /** Whoever gets a device-dax uses it once it is bound again; a file system's next owner would first have to unmount the old one. */
  private newOwner(device: string): void {
    if (!this.handedOver.has(device) || !Object.hasOwn(this.test.machine.devdax, device)) return;
    this.handedOver.delete(device);
    this.processes.push({ name: 'next-owner', started: false, maps: [{ device, size: '2M', touch: 'write' }] });
    this.add({ start: 'next-owner' }, 'returned');
    this.notes.push(`The hand-over of ${device} is the process next-owner, which writes its mark once the device is bound again.`);
  }

  private allocator(): void {
    this.processes.push({ name: 'allocator', started: false, maps: [{ anonymous: true, size: '4M', node: 1 }] });
    this.add({ start: 'allocator' }, 'returned');
    this.add({ read: 'allocator' }, 'returned');
  }

  /** mmap by a process that had no part in the set-up: it is started now. */
  private latecomer(process: string, file: string): void {
    const at = this.processes.findIndex((p) => p.name === process);
    const spec = this.test.processes[process];
    const known = this.processes[at];
    if (spec === undefined || known === undefined || known.maps !== undefined) throw refuse(`${process} maps a second thing while it runs`);
    this.processes[at] = { ...known, started: false, maps: [mapOf(this.test, this.around.mountOf, file, spec)] };
    pathOf(this.test, this.around.mountOf, file);
    this.add({ start: process }, 'returned');
  }
}
