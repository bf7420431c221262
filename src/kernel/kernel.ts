/**
 * One simulated kernel: the heap with all shared state, the profile whose mechanisms its paths consult, and the parts
 * that nearly every path needs (sections, zones, resources, log). Parts of single subsystems are made on first use by
 * `part`, at set-up.
 */
import { valueOf } from '../profile/build.ts';
import type { MechanismName, MechanismValueOf } from '../profile/mechanisms/index.ts';
import type { Profile } from '../profile/profile.ts';
import { makeGeometry, type Geometry, type GeometryInput } from './geometry.ts';
import { Names } from './names.ts';
import { KernelLogRing } from './printk.ts';
import { Heap } from './state/heap.ts';
import { call, type Path, type PathFunction } from './state/path.ts';
import { Sparse } from './mm/section-table.ts';
import { Zones } from './mm/zones.ts';
import { Resources } from './resource.ts';

export interface KernelOptions {
  readonly profile: Profile;
  readonly geometry?: GeometryInput;
  /** NUMA nodes that this machine can have; 8 unless told. */
  readonly nodes?: number;
  /** True when other CPUs run too: paths then yield before what another could see. */
  readonly concurrent?: boolean;
  readonly quietLog?: boolean;
}

export class Kernel {
  readonly heap = new Heap();
  readonly names = new Names();
  readonly profile: Profile;
  readonly geo: Geometry;
  readonly nodes: number;
  concurrent: boolean;
  /** Heap word: tenths of a second since boot. */
  readonly clock: number;
  readonly log: KernelLogRing;
  readonly sparse: Sparse;
  readonly zones: Zones;
  readonly resources: Resources;
  private readonly failNth: number;
  private readonly parts = new Map<unknown, unknown>();

  constructor(options: KernelOptions) {
    this.profile = options.profile;
    this.geo = makeGeometry(options.geometry);
    this.nodes = options.nodes ?? 8;
    this.concurrent = options.concurrent ?? false;
    this.clock = this.heap.reserve(1);
    this.failNth = this.heap.reserve(1);
    this.log = new KernelLogRing(this, options.quietLog ?? false);
    this.sparse = new Sparse(this);
    this.zones = new Zones(this);
    this.resources = new Resources(this);
  }

  /**
   * The part of a subsystem: its heap addresses and slabs, made by `make` the first time. That counts as set-up even when
   * an explored path is the first to ask: it is not recorded, and is the same for every interleaving.
   */
  part<T>(make: (k: Kernel) => T): T {
    const known = this.parts.get(make) as T | undefined;
    if (known !== undefined) return known;
    const { tap } = this.heap;
    this.heap.tap = null;
    const part = make(this);
    this.heap.tap = tap;
    this.parts.set(make, part);
    return part;
  }

  /** Calls a path that the explorer may collapse to its result. */
  call(fn: PathFunction<Kernel>, ...args: number[]): Path<number> {
    return call<Kernel>(this, fn, ...args);
  }

  /** The value of a mechanism in this kernel's profile. Not for inner loops: keep it in a constant. */
  mechanism<N extends MechanismName>(name: N): MechanismValueOf<N> {
    return valueOf(this.profile, name);
  }

  /** Lets the n-th allocation from now fail (1: the next one); 0: none. */
  failAllocation(n: number): void {
    this.heap.store(this.failNth, n);
  }

  /** True when the injected failure has not happened yet. */
  get failurePending(): boolean {
    return this.heap.load(this.failNth) !== 0;
  }

  /** Asked before every allocation that may fail: false when this one was chosen to (lib/fault-inject.c). */
  mayAllocate(): boolean {
    const left = this.heap.load(this.failNth);
    if (left === 0) return true;
    this.heap.store(this.failNth, left - 1);
    return left !== 1;
  }
}
