/** The form of a litmus test: a machine of a few plain fields, threads as lists of kernel paths, and what must not happen. */
import { z } from 'zod';
import { operationText } from './operation.ts';
import { predicateText } from './predicate-text.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'a name is lower-case letters, digits and dashes');

const file = z.strictObject({
  pages: z.int().min(1).max(32).default(1),
  /** 512 pages that lie and are mapped so that one entry of the next level maps them all. */
  huge: z.boolean().optional(),
  /** Which allocation group it lies in (XFS). */
  group: z.int().min(0).max(3).optional(),
  /** A file whose blocks this one shares (reflink). */
  reflink: name.optional(),
  unlinked: z.boolean().optional(),
  /** Namespace that its blocks lie on, where the file system has several (`multi`). */
  on: name.optional(),
  domain: z.int().min(1).max(9).optional(),
});

const pmem = z.strictObject({
  map: z.enum(['mem', 'dev']).default('mem'),
  /** false: the namespace is there but no driver is bound. */
  bound: z.boolean().default(true),
  fs: z.enum(['ext4', 'xfs', 'multi']).optional(),
  rmapbt: z.boolean().optional(),
  reflink: z.boolean().optional(),
  files: z.record(name, file).default({}),
  /** Right behind this device, in the same section; `boot-ram`: behind boot memory that ends in the middle of a section. */
  after: name.optional(),
  /** One more device of the `multi` file system that is on the named one. */
  joins: name.optional(),
  /** NUMA node that its memmap is allocated on: a `ram` of that node may have to hold it. */
  node: z.int().min(0).max(3).default(0),
});

const devdax = z.strictObject({
  owner: z.int().min(1).max(9).default(1),
});

const ram = z.strictObject({
  /** Whole memory blocks. */
  blocks: z.int().min(1).max(4).default(1),
  node: z.int().min(0).max(3).default(1),
  online: z.enum(['no', 'kernel', 'movable']).default('movable'),
  /** How it came: plain add_memory, dax_kmem, a CXL region, an ACPI DIMM, a virtio-mem device. */
  by: z.enum(['add-memory', 'kmem', 'cxl', 'dimm', 'virtio-mem']).default('add-memory'),
  /** Its memmap lies in itself (memory_hotplug.memmap_on_memory=Y), where this kernel can. */
  memmap_on_memory: z.boolean().default(false),
  /** In the section of this pmem, right behind it: only one of them can be there. */
  over: name.optional(),
  /** What reads give where nobody decodes (CXL). */
  answer: z.enum(['zeroes', 'ones']).default('zeroes'),
  /** false: the memory is not added yet. */
  present: z.boolean().default(true),
});

/** Memory of a driver that hands out its pages one by one: a GPU's, a BAR for peers. */
const pages = z.strictObject({
  type: z.enum(['private', 'coherent', 'p2pdma', 'public', 'fsdax', 'generic']),
});

export const machine = z.strictObject({
  pmem: z.record(name, pmem).default({}),
  devdax: z.record(name, devdax).default({}),
  ram: z.record(name, ram).default({}),
  pages: z.record(name, pages).default({}),
  /** Slots with a CXL card of `ram` in it. */
  slots: z.record(name, z.strictObject({ card: name, kind: z.enum(['pciehp', 'acpiphp']).default('pciehp') })).default({}),
  /** Mechanisms set for this test alone, whatever the profile says: the grace period taken away, an order swapped. */
  mechanisms: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])).default({}),
  early_kill: z.boolean().default(false),
});

const process = z.strictObject({
  /** File or device that it maps. */
  maps: name.optional(),
  /** Instead: this many pages of anonymous memory. */
  anon: z.int().min(1).max(4).optional(),
  pages: z.int().min(1).max(32).optional(),
  touched: z.enum(['no', 'read', 'write']).default('no'),
  private: z.boolean().optional(),
  read_only: z.boolean().optional(),
  sync: z.boolean().optional(),
  opens: z.array(name).default([]),
  cwd: name.optional(),
  handles_sigbus: z.boolean().default(true),
  mce_kill: z.enum(['early', 'late']).optional(),
  domain: z.int().min(1).max(9).default(1),
  /** Anonymous RAM on a `ram` of the machine. */
  ram: z.strictObject({ of: name, kind: z.enum(['anon', 'file', 'mlock', 'hugetlb']).default('anon'), pins: z.enum(['none', 'get', 'longterm']).default('none') }).optional(),
  /** Pins taken at set-up, by a kind of holder. */
  pin: z.enum(['o_direct', 'io_uring', 'af_xdp', 'vmsplice', 'rdma', 'vfio']).optional(),
  /** A KVM guest whose memory this mapping is. */
  kvm: z.boolean().optional(),
});

const verdict = z.union([z.literal('ok'), z.array(z.string()).min(1)]);

export const litmus = z.strictObject({
  litmus: name,
  title: z.string().min(10),
  /** Clauses of SYSTEMS: `1a`, `2b`. */
  clauses: z.array(z.string().regex(/^[1-9][a-h]?$/)).min(1),
  /** Row of KERNEL-TRUTH, where a real kernel was seen to do it: `A 1`, `B 2`. */
  truth: z.string().optional(),
  /** Where the expected verdicts come from otherwise: kernel file and what it does, or who asked for it. */
  source: z.string().min(10).optional(),
  /** Profiles that it is run on: releases, proposals by name; all releases unless told. */
  profiles: z.array(z.string()).optional(),
  machine: machine.default(() => machine.parse({})),
  processes: z.record(name, process).default({}),
  threads: z.record(name, z.array(operationText).min(1)),
  /** Threads that may wait for ever: interrupt handlers, workers. */
  daemons: z.array(name).default([]),
  never: z.array(predicateText).default([]),
  sometimes: z.array(predicateText).default([]),
  finally: z.array(predicateText).default([]),
  allow: z.array(z.enum(['oops', 'hang'])).default([]),
  /** By profile: `ok`, or what is violated. `default` stands for the others. */
  expect: z.record(z.string(), verdict),
});

export type Litmus = z.infer<typeof litmus>;
export type LitmusMachine = z.infer<typeof machine>;
export type LitmusProcess = z.infer<typeof process>;
