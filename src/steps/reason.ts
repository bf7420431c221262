/** Why a removal is refused, or what must be accepted by name. Codes are stable (`--json`, orchestrators match on them). */
export const REASONS = {
  'held-by-mapping': 'a process maps memory of the device',
  'held-by-open-file': 'a process has a file open on the device',
  'held-by-cwd': 'a process has its working directory or root on the device',
  'held-by-mount': 'a file system on the device is mounted',
  'held-by-stack': 'another block device is stacked on the device',
  'held-by-swap': 'swap is active on the device',
  'held-by-vm': 'a virtual machine uses the memory as its own',
  'held-by-memmap': "another device's struct pages live on this device",
  'pinned-seen': 'a long-term pin on the memory was seen',
  'pin-possible': 'a pin on the memory is possible and cannot be ruled out',
  'memory-online': 'memory blocks of the device are online',
  'memory-unmovable': 'a memory block holds pages that cannot move',
  'memory-no-room': 'what must leave the memory has no room elsewhere',
  'block-has-hole': 'a memory block contains a hole and cannot go offline',
  'block-has-pmem': 'a memory block also holds persistent memory and cannot go offline',
  'block-spans-zones': 'a memory block spans two zones and cannot go offline',
  'block-spans-nodes': 'a memory block spans two nodes and cannot go offline',
  'block-has-reserved': 'a memory block holds pages reserved at boot',
  'protected-process': 'the holder must not be stopped or ended (init, the session, what the removal needs)',
  'cannot-detach': 'system calls cannot be injected into the holder',
  'no-driver': 'no driver is bound to the device',
  'no-rebind': 'the driver of the device cannot be bound again before a reboot',
  'kernel-spins': "this kernel's own unbind would spin",
  'decoder-locked': 'a CXL decoder is locked by firmware',
  'power-off-pending': 'the button of its slot was pressed: the power goes by itself in seconds',
  'not-removable': 'this kernel has no way to remove this kind of memory',
  'hidden': 'what must be known cannot be read by this user',
  'force-has-no-effect': 'memory_failure() unmaps nothing on this kernel',
  'rival': 'a rule or service of the system would undo the removal',
} as const;

export type ReasonCode = keyof typeof REASONS;

export interface Blocker {
  readonly reason: ReasonCode;
  /** Who or what: `pid 150 (h)`, `memory33`, `/mnt in mount namespace 4026531840`. */
  readonly subject: string;
  /** One sentence with the values that matter. */
  readonly text: string;
  /** What to do about it, one sentence, as a command where there is one. */
  readonly next: string;
  readonly pid?: number;
  readonly block?: number;
  /** Ways of removal that overcome it. Empty: none does. */
  readonly overcomeBy: readonly Way[];
}

/** How holders are let go. `graceful` lets nobody go who does not go by itself. */
export type Way = 'graceful' | 'detach' | 'force' | 'kill';
