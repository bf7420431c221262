/** Litmus tests that neither notice a mutation alone nor stand for a row of KERNEL-TRUTH, and what they are there for. */
import { ASKED } from './clauses.ts';

const PREDICTED = 'says what a kernel will do that no machine of the lab was asked yet';

const OTHERS: Readonly<Record<string, string>> = {
  'devdax-cdev-held': 'the other order of devdax-cdev-destroy: the holder ends after the namespace is destroyed, and meets the list itself',
  'block-zones-race': 'clause 8b: one zone for a block, whoever puts it online', 'cxl-teardown-ones': 'clause 6f: hardware that answers all ones; QEMU answers zeroes', 'cxl-tool-udev': PREDICTED,
  'design-holder': 'clauses 1b, 3a to 3d: each proposed design against a holder', 'fsdax-pin-evict': PREDICTED, 'gup-fsdax-unbind': 'clause 2b: a transient reference on fsdax, where 5.10 waits and later kernels do not',
  'gup-longterm-fsdax': 'clause 2b: long-term pins are refused on fsdax', 'hmm-coordinated': 'clause 2h: pages that the CPU cannot reach come home', 'hmm-falls-off': 'clause 2g: all ones reach the CPU', 'kvm-dirty': 'clause 2d: a lost dirty bit is a forbidden outcome',
  'kvm-truncate': 'clause 2d: the reference that the old test never puts', 'machine-check-consumer': 'clause 1d: entered by a machine check', 'memory-failure-fault': 'clause 1d: the entry lock', 'memmap-elsewhere-offline': 'clause 6e: a memmap in the memory of another device',
  'multi-metadata': 'clause 3e: the device with the metadata', 'multi-unplug': 'clause 3e: device unplug is not file system dead', 'pagemap-ref-kept': 'clause 2h: nothing takes a reference back', 'remove-uninitialised': 'clause 8e: struct pages that were never initialised',
  'section-generation': 'clause 7c: whole sections, as 5.2 has them', 'sync-write': 'clause 1f: write-back against a fault', 'truncate-fault': 'clause 1f: truncate against a fault', 'truncate-gup': 'clause 1f: layout breaks wait for references',
};

export const STANDS_FOR: Readonly<Record<string, string>> = { ...OTHERS, ...Object.fromEntries([...ASKED].reverse().flatMap(([asked, names]) => names.map((name) => [name, `asked for by name: ${asked}`]))) };
