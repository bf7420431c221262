/**
 * A sweep over all processes for a holder search, on two threads: the kernel's part (maps, descriptors) is most of the
 * time, and it then runs on two processors. Processes that have nothing of the devices end here; what was read of the
 * others waits until it is asked for.
 */
import { statSync } from 'node:fs';
import { isMissing, type Fact } from '../fact.ts';
import type { DeviceNumber } from '../host.ts';
import type { Place, ProcessFile } from '../processes.ts';
import { AddressSpaces } from './address-spaces.ts';
import { wantedOf, type Gathered } from './gather.ts';
import type { LiveProcesses } from './processes.ts';
import { gatherer } from './quick-gather.ts';
import { SweepHelper } from './sweep-helper.ts';

/** Fewer processes than this are looked through sooner than a worker starts. */
export const MANY = 300;

/** What is left to hand out of a pid: each answer once. */
type Answers = { -readonly [K in keyof Gathered]: Gathered[K] };

export class Sweep {
  private devices: ReadonlySet<DeviceNumber> | undefined;
  private answers: Answers | undefined;
  private helper: SweepHelper | undefined;
  /** Of those that have mapped something: compared on the way, while the second thread is at work. */
  private spaces: AddressSpaces | undefined;
  private readonly pageSize: number;

  constructor(pageSize: number) {
    this.pageSize = pageSize;
  }

  /** Starts the second thread where there are many processes (the links of /proc count them, fs/proc/root.c). */
  prepare(): void {
    if (statSync('/proc').nlink >= MANY) this.helper ??= new SweepHelper(this.pageSize);
  }

  /** The pids that the search must look at, in any order: those with something of the devices, and those that could not be looked at. */
  *suspects(processes: LiveProcesses, pids: readonly number[], devices: ReadonlySet<DeviceNumber>, portraits: boolean): Generator<number> {
    this.devices = devices;
    this.spaces = pids.length < MANY ? undefined : new AddressSpaces();
    const helper = pids.length < MANY ? undefined : (this.helper ??= new SweepHelper(this.pageSize));
    const gather = gatherer(processes, wantedOf(devices, portraits), pids.length >= MANY);
    const lost: number[] = [];
    let ended = false;
    try {
      helper?.begin(pids, devices, portraits);
      for (const [at, pid] of pids.entries()) {
        if (helper === undefined || helper.claim(at)) yield* this.told(gather.of(pid));
        else if (!helper.wait(at)) lost.push(pid);
        for (const sent of helper?.received() ?? []) yield* this.told(sent);
      }
      ended = lost.length === 0;
      for (const pid of lost) yield* this.told(gather.of(pid));
    } finally {
      gather.end();
      this.answers = undefined;
      // One that hangs, or that works on a search which was given up, is of no use to the next.
      if (!ended) this.stop();
    }
  }

  stop(): void {
    this.helper?.close();
    this.helper = undefined;
    this.answers = undefined;
  }

  /** Takes one answer about a pid; undefined where it must be read. */
  take<K extends 'openFiles' | 'namespace'>(pid: number, key: K): Gathered[K] | undefined {
    const known = this.of(pid);
    const answer = known?.[key];
    if (known !== undefined) delete known[key];
    return answer;
  }

  takeMappings(pid: number, devices: ReadonlySet<DeviceNumber>): Gathered['mappings'] {
    const known = devices === this.devices ? this.of(pid) : undefined;
    const answer = known?.mappings;
    if (known !== undefined) delete known.mappings;
    return answer;
  }

  /** What the last search has compared; a later one compares anew. */
  takeSpaces(): AddressSpaces | undefined {
    const { spaces } = this;
    this.spaces = undefined;
    return spaces;
  }

  takeFile(pid: number, name: ProcessFile): Fact<Uint8Array> | undefined {
    const files = this.of(pid)?.files;
    const answer = files?.[name];
    // Whoever asks for the start time again wants to know whether it is still the same process.
    if (files !== undefined && !(name === 'stat' && this.answers?.sound === true)) delete files[name];
    return answer;
  }

  takePlace(pid: number, which: 'cwd' | 'root' | 'exe'): Fact<Place> | undefined {
    const places = this.of(pid)?.places;
    const answer = places?.[which];
    if (places !== undefined) delete places[which];
    return answer;
  }

  /** Something was read of this process by its number: from now on what is known of it may be of an earlier one. */
  doubt(pid: number): void {
    if (this.answers?.pid === pid) delete this.answers.sound;
  }

  private of(pid: number): Answers | undefined {
    return this.answers?.pid === pid ? this.answers : undefined;
  }

  private *told(gathered: Gathered | undefined): Generator<number> {
    if (gathered === undefined) return;
    this.answers = gathered;
    if (gathered.mappings !== undefined && !isMissing(gathered.mappings) && gathered.mappings.numbers.length > 0) this.spaces?.add(gathered.pid);
    yield gathered.pid;
    this.answers = undefined;
  }
}
