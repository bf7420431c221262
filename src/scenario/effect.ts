/**
 * What removing a device can do: one vocabulary for forecasts (plan/), for outcomes of the simulated kernel and for
 * what the lab sees on real kernels. The names are stable: they appear in `--json`, in litmus tests and in the lab's data.
 */
export const EFFECTS = {
  'clean': 'the device is gone and nothing of it is left',
  'stale-mapping': 'page tables still map the device after it is gone; reads and perhaps writes go on',
  'stale-write': 'the stale mapping can be written and hits the medium',
  'next-owner-exposed': "after a rebind the old process reads or writes the next owner's data",
  'sigbus': 'holders get SIGBUS when they touch the memory',
  'unbind-hangs': 'the unbind waits until pins are dropped',
  'unbind-spins': 'the unbind spins in the kernel, one CPU busy',
  'pin-outlives-memmap': 'pinned pages outlive their memmap: DMA or a later put touches freed struct pages',
  'oops-at-exit': 'the exit of a holder crashes the kernel',
  'oops-at-umount': 'the unmount crashes the kernel',
  'oops-on-pagemap': "reading a holder's pagemap crashes the kernel",
  'oops-on-smaps': "reading a holder's smaps crashes the kernel",
  'oops-on-write': 'a write to the stale mapping crashes the kernel',
  'umount-hangs': 'the unmount never ends',
  'bad-page-map': 'page counts are wrong when the holder goes',
  'fs-shutdown': 'the file system is shut down',
  'region-leaked': 'the System RAM range stays in iomem and cannot be used again until reboot',
  'reads-zero': 'memory behind a dead decoder reads as zeroes or all-ones, without a signal',
  'allocator-continues': 'the allocator goes on handing out memory that is gone',
  'veto': 'the kernel or firmware says no',
  'no-rebind': 'the driver of the device cannot be bound again before a reboot',
  'never-ends': 'the offline or eject goes on for ever until a pin is dropped',
  'kernel-bug-later': 'the kernel crashes at a later, innocent step',
  'swap-lost': 'swapped pages are lost with the device',
  'io-errors': 'open files give errors',
} as const;

export type Effect = keyof typeof EFFECTS;

export const isEffect = (word: string): word is Effect => Object.hasOwn(EFFECTS, word);
