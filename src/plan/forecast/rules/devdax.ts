/** device-dax: what unbinding the driver, or losing the device, does. */
import { LONG_TERM } from '../../../machine/types/holder.ts';
import { everybody, type LeafFacts } from '../../facts/leaf-facts.ts';
import type { Rule } from '../rule.ts';

const base: Pick<Rule, 'events' | 'kinds'> = { events: ['unbind', 'pull'], kinds: ['devdax'] };
const mapped = (f: LeafFacts): boolean => f.mapped.length > 0;
const held = (f: LeafFacts): boolean => f.processes.length > 0;
const seen = (f: LeafFacts) => f.pins.filter((p) => p.pin.certainty === 'seen');
const possible = (f: LeafFacts) => f.pins.filter((p) => p.pin.certainty === 'possible' && LONG_TERM.includes(p.pin.kind));
const B1 = 'docs/kernel-truth B 1';
const B2 = 'docs/kernel-truth B 2';

export const DEVDAX_RULES: readonly Rule[] = [
  {
    ...base, id: 'devdax-sigbus', needs: { 'dax.unbind-unmaps': [true] }, when: mapped, effect: 'sigbus', whom: (f) => everybody(f.mapped), certainty: 'certain',
    because: 'kill_dev_dax() takes every mapping out of the page tables; the next touch is SIGBUS (BUS_ADRERR)', source: B1,
  },
  {
    ...base, id: 'devdax-comes-back', through: 'self', needs: { 'dax.fault-checks': ['alive'] }, when: mapped, effect: 'next-owner-exposed', whom: (f) => `${everybody(f.mapped)}, at the next bind`, certainty: 'certain',
    because: 'the VMA is not tied to a bind: after the next bind it faults in again, reads and writes what the new owner stores', source: B1,
  },
  {
    ...base, id: 'devdax-cdev-again', through: 'self', needs: { 'dax.bind-initialises-cdev': ['again'] }, when: (f) => held(f) && (f.openers.length > 0 || mapped(f)), effect: 'kernel-bug-later', whom: (f) => `the whole machine, if ${everybody(f.processes)} still has it open at the next bind`, certainty: 'likely',
    because: 'the next bind initialises the character device again under a live inode; destroying the namespace later is a kernel BUG: in kdevtmpfs, and no device node can be made any more, where the holder has gone by then; else in its last close', source: `${B1}, follow-up damage`,
  },
  {
    ...base, id: 'devdax-pin-hangs', needs: { 'gup.memunmap-references': ['per-page'] }, when: (f) => seen(f).length > 0, effect: 'unbind-hangs', whom: (f) => `the unbind, until ${everybody(seen(f).map((p) => p.process))} drops its pin`, certainty: 'certain',
    because: 'each pinned page keeps a reference of the pagemap and memunmap_pages() waits for it in state D', source: B2,
  },
  {
    ...base, id: 'devdax-possible-pin-hangs', needs: { 'gup.memunmap-references': ['per-page'] }, when: (f) => seen(f).length === 0 && held(f), effect: 'unbind-hangs', whom: (f) => `the unbind, if ${everybody(f.processes)} has a page in a pipe, a socket or in I/O`, certainty: 'possible',
    because: 'each pinned page keeps a reference of the pagemap and memunmap_pages() waits for it in state D; such pins cannot be seen', source: B2,
  },
  {
    ...base, id: 'devdax-pin-outlives', needs: { 'gup.memunmap-references': ['bulk'] }, when: (f) => seen(f).length > 0, effect: 'pin-outlives-memmap', whom: (f) => seen(f).map((p) => `${everybody([p.process])}: ${p.pin.kind}`).join(', '), certainty: 'certain',
    because: 'memunmap_pages() does not wait for pins: unbind returns 0, and the pin\'s next use or its end touches a struct page that is gone, or its DMA lands in the next owner\'s data', source: B2,
  },
  {
    ...base, id: 'devdax-pin-exit', needs: { 'gup.memunmap-references': ['bulk'] }, when: (f) => seen(f).length > 0, effect: 'oops-at-exit', whom: (f) => `${everybody(seen(f).map((p) => p.process))}, if it ends while the device is away`, certainty: 'likely',
    because: 'its end drops the pin, and that touches a struct page that is gone (a fixed buffer of io_uring: in io_ring_exit_work)', source: 'docs/kernel-truth B 8, devdax in an io_uring fixed buffer',
  },
  {
    ...base, id: 'devdax-likely-pin-outlives', needs: { 'gup.memunmap-references': ['bulk'] }, when: (f) => possible(f).length > 0, effect: 'pin-outlives-memmap', whom: (f) => possible(f).map((p) => `${everybody([p.process])}: ${p.pin.kind}`).join(', '), certainty: 'likely',
    because: 'it has what long-term pins are made with; memunmap_pages() does not wait for them, and the next use of such a pin touches a struct page that is gone', source: B2,
  },
  {
    ...base, id: 'devdax-possible-pin-outlives', needs: { 'gup.memunmap-references': ['bulk'] }, when: (f) => seen(f).length === 0 && possible(f).length === 0 && held(f), effect: 'pin-outlives-memmap', whom: (f) => everybody(f.processes), certainty: 'possible',
    because: 'a page in a pipe, a socket or in I/O outlives the memmap just the same, and no file shows such a pin', source: B2,
  },
];
