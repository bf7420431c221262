/** Memory blocks left offline or on their way, and poisoned pages. */
import type { Machine } from '../../machine/machine.ts';
import { formatBytes, formatRange } from '../../range/units.ts';
import type { Finding } from './audit.ts';

export function auditMemory(machine: Machine): Finding[] {
  const { blocks, hardwareCorruptedBytes } = machine.memory;
  const going = blocks.filter((b) => b.state === 'going-offline').map<Finding>((b) => ({
    kind: 'block-going-offline', weight: 'left', subject: `memory${b.index}`, text: `${formatRange(b)} is going offline and has not ended: a pinned page keeps it.`,
    warning: null, next: 'It completes by itself when the pin goes; asking again is pointless.',
  }));
  const offline = blocks.filter((b) => b.state === 'offline');
  const poisoned = hardwareCorruptedBytes ?? 0;
  return [
    ...going,
    ...(offline.length === 0 ? [] : [{
      kind: 'block-offline', weight: 'notice', subject: offline.length === 1 ? `memory${offline[0]?.index}` : `${offline.length} memory blocks`,
      text: `offline: ${offline.slice(0, 8).map((b) => `memory${b.index}`).join(', ')}${offline.length > 8 ? ', ...' : ''}.`, warning: null, next: 'Write online_movable to its state file to use it again.',
    } satisfies Finding]),
    ...(poisoned === 0 ? [] : [{
      kind: 'poisoned-pages', weight: 'notice', subject: 'HardwareCorrupted', text: `/proc/meminfo counts ${formatBytes(poisoned)} as corrupted: memory_failure() counts each write, and never takes it back on 6.12 and later.`,
      warning: null, next: 'After a removal by --force that is expected; otherwise look at the machine check log.',
    } satisfies Finding]),
  ];
}
