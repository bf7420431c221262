/** Verbs about those who hold a device: signals, freezers, lazy unmounts, what memory_failure() leaves, and what is on the medium. */
import { name, path } from './words.ts';

export const holderVerbs = {
  unmountLazy: path.describe('umount2(MNT_DETACH): out of sight at once, ended when the last user goes.'),
  remountReadOnly: path.describe('mount -o remount,ro'),
  freeze: name.describe('The cgroup v2 freezer; waits until the kernel says frozen.'),
  thaw: name,
  signals: name.describe('How many BUS_MCEERR_AO the process has taken so far, by its own count.'),
  pending: name.describe('Whether a SIGBUS is pending for the process, from outside.'),
  unpoison: name.describe('hwpoison-inject: unpoison-pfn of the first device page that the process maps.'),
  injectMadvise: name.describe('ptrace: the process is made to call madvise(MADV_DONTNEED) over its maps.'),
  medium: name.describe('Counts the pages of a block device that hold the mark of each process; the device is zeroed before it gets its file system.'),
} as const;

/** Verbs whose argument is the name of a process, and those whose argument is a mount point. */
export const OF_PROCESS = ['freeze', 'thaw', 'signals', 'pending', 'unpoison', 'injectMadvise'] as const;
export const OF_MOUNT = ['unmountLazy', 'remountReadOnly'] as const;
