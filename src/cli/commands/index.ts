/** The commands, in the order of the help page. */
import type { CommandEntry } from '../command.ts';

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'demo', summary: 'the problem and the answer in a minute, on a simulated machine', load: () => import('./demo.ts') },
  { name: 'scan', summary: 'what memory this machine has, how it is used, what could leave', load: () => import('./scan.ts') },
  { name: 'plan', summary: 'who holds a device, what a bare removal would do on this kernel, the steps', load: () => import('./plan.ts') },
  { name: 'remove', summary: 'take a device out: graceful, or by --detach, --force, --kill; --dry-run', load: () => import('./remove.ts') },
  { name: 'resume', summary: 'go on with a removal that was interrupted', load: () => import('./resume.ts') },
  { name: 'rollback', summary: 'put back what an interrupted removal had changed', load: () => import('./rollback.ts') },
  { name: 'audit', summary: 'what past removals left behind', load: () => import('./audit.ts') },
  { name: 'map', summary: 'the physical address map, as a picture in the terminal', load: () => import('./map.ts') },
  { name: 'doctor', summary: 'what this kernel and this user can and cannot see or do', load: () => import('./doctor.ts') },
  { name: 'capture', summary: 'a capture of this machine to look at elsewhere', load: () => import('./capture.ts') },
  { name: 'layout', summary: 'will these ranges fit: sections, sub-sections, blocks, padding, per kernel version', load: () => import('./layout.ts') },
  { name: 'check', summary: 'litmus tests: every interleaving on the simulated kernel', load: () => import('./check.ts') },
  { name: 'compare', summary: 'designs of removal side by side: what they reach, what they cost', load: () => import('./compare.ts') },
  { name: 'lab', summary: 'the same on real kernels in QEMU', load: () => import('./lab.ts') },
];
