/** Predicates of processes, files and threads. A predicate reads the heap and results of threads, and nothing else. */
import { INODE } from '../../kernel/fs/inode.ts';
import { isAlive, TASK, TASK_STOPPED } from '../../kernel/task.ts';
import { KVM } from '../../kernel/virt/kvm.ts';
import { fileOf, missing, processOf, threadOf, type Predicate } from './subjects.ts';

export const PROCESS_PREDICATES: Readonly<Record<string, Predicate>> = {
  dead: { takes: 'PROCESS', says: 'the process is dead', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => !isAlive(k, task); } },
  runs: { takes: 'PROCESS', says: 'the process is not stopped', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => k.heap.load(task + TASK.state) !== TASK_STOPPED; } },
  told: { takes: 'PROCESS', says: 'the process has taken a SIGBUS or has one pending', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => k.heap.load(task + TASK.sigbusTaken) + k.heap.load(task + TASK.aoTaken) + k.heap.load(task + TASK.pending) > 0; } },
  'sigbus-taken': { takes: 'PROCESS', says: 'the process has taken a SIGBUS', make: (s, [name]) => { const { task } = processOf(s, name); return (k) => k.heap.load(task + TASK.sigbusTaken) > 0; } },
  'lost-dirty': {
    takes: 'PROCESS', says: 'a dirty bit of the guest\'s entries was lost',
    make: (s, [name]) => { const { vm } = processOf(s, name); return (k) => vm !== 0 && k.heap.load(vm + KVM.lostDirty) > 0; },
  },
  'file-held': {
    takes: 'FILE', says: 'somebody has the file open or mapped',
    make: (s, [name]) => { const inode = fileOf(s, name); return (k) => k.heap.load(inode + INODE.count) > 0; },
  },
  pinned: { takes: 'PROCESS', says: 'the kernel granted the pin at set-up', make: (s, [name]) => { const { pinFd } = processOf(s, name); return () => pinFd !== 0; } },
  done: { takes: 'THREAD', says: 'the thread has ended', make: (s, [thread]) => { const t = threadOf(s, thread); return (_k, done) => done(t) !== undefined; } },
  result: {
    takes: 'THREAD is|below|above N', says: 'the thread has ended with such a result (of its last line)',
    make: (s, [thread, how, text]) => {
      const t = threadOf(s, thread);
      const n = Number(text);
      if (!Number.isInteger(n) || !['is', 'below', 'above'].includes(how ?? '')) throw missing('result wants THREAD is|below|above N');
      return (_k, done) => {
        const value = done(t);
        return value !== undefined && (how === 'is' ? value === n : how === 'below' ? value < n : value > n);
      };
    },
  },
};
