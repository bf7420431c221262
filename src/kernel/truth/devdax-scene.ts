/** A device-dax device of 128 MiB that one process has open and mapped, every page written: what the tests of systems 4 and 5 begin with. */
import { MiB } from '../../range/units.ts';
import type { Kernel } from '../kernel.ts';
import { vmaStart } from '../mm/mm_struct.ts';
import { addDevDax, devDaxInode } from '../setup/devdax.ts';
import { addProcess, mapFile, openFile, touchAll } from '../setup/process.ts';
import { makeMachine } from '../setup/boot-machine.ts';
import { profile } from './clauses.ts';

const START = 0x100000000;

export interface DevDax { k: Kernel; dev: number; task: number; vma: number; vpn: number }
export function devdax(name: string): DevDax {
  const k = makeMachine({ profile: profile(name) });
  const dev = addDevDax(k, { start: START, size: 128 * MiB, owner: 1 });
  const task = addProcess(k, { domain: 1 });
  openFile(k, task, devDaxInode(k, dev));
  const vma = mapFile(k, task, devDaxInode(k, dev), { pages: 512 });
  touchAll(k, task, vma, 'write');
  return { k, dev, task, vma, vpn: vmaStart(k, vma) };
}
