/** What the helper child does: one system call that may hang, so that the process which waits for it does not. */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { errnoOf } from './absence.ts';
import { openListed } from './kept-namespaces.ts';
import { native } from './native.ts';
import { bytesOf, type Answer, type NamespaceDoor, type Operation } from './operations.ts';

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
/** Do not follow a link at the mount point (umount(2)). */
const UMOUNT_NOFOLLOW = 8;
/** _IOR('X', 125, __u32): EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN (include/uapi/linux/fs.h calls it FS_IOC_SHUTDOWN). */
const FS_IOC_SHUTDOWN = 0x8004587d;

export function perform(operation: Operation): Answer {
  try {
    return act(operation);
  } catch (error) {
    const errno = errnoOf(error);
    return { ok: false, errno, ...(errno === 'EIO' && error instanceof Error ? { detail: error.message } : {}), ...spent(operation) };
  }
}

function act(operation: Operation): Answer {
  switch (operation.do) {
    case 'write': return write(operation.path, operation.text);
    case 'unmount': return within(operation.door, () => native().umount2(path(operation.mountPoint), UMOUNT_NOFOLLOW));
    case 'sync': return within(operation.door, () => onOpen(operation.mountPoint, (fd) => native().syncfs(fd)));
    case 'shutdown': return within(operation.door, () => onOpen(operation.mountPoint, (fd) => native().ioctl(fd, FS_IOC_SHUTDOWN, word(operation.flag))));
    case 'swapoff': return outcome(native().swapoff(path(operation.path)));
    case 'mountinfo': return { ok: true, texts: mountinfoOf(operation.doors), spent: true };
  }
}

/** One open(2), one write(2). The file is never created or truncated. */
function write(file: string, text: string): Answer {
  const bytes = Buffer.from(text);
  const fd = openSync(file, constants.O_WRONLY);
  const done = writeSync(fd, bytes);
  // Closed by the end of the process where close itself hangs; its result says nothing about a sysfs write.
  closeSync(fd);
  return done === bytes.length ? { ok: true } : { ok: false, errno: 'SHORT_WRITE', detail: `${done} of ${bytes.length} bytes taken` };
}

function within(door: NamespaceDoor | undefined, call: () => number): Answer {
  // Loaded before the change of namespace: afterwards our own files may not be there.
  native();
  if (door === undefined) return outcome(call());
  const failed = enter(door);
  return { ...(failed ?? outcome(call())), spent: true };
}

/** A process that shares its root and cwd with its threads may not change its mount namespace: they are unshared first. */
function enter(door: NamespaceDoor): Answer | undefined {
  const failed = door.via === undefined ? undefined : enter(door.via);
  if (failed !== undefined) return failed;
  const fd = openDoor(door);
  if (fd === undefined) return { ok: false, errno: 'ESRCH', detail: `${door.file} leads no more to mount namespace ${door.id}` };
  try {
    if (fstatSync(fd).ino !== door.id) return { ok: false, errno: 'ESTALE', detail: `${door.file} is another namespace now` };
    return native().unshare(CLONE_FS) !== 0 || native().setns(fd, CLONE_NEWNS) !== 0 ? outcome(-1) : undefined;
  } finally {
    closeSync(fd);
  }
}

function openDoor(door: NamespaceDoor): number | undefined {
  if (door.listed === true) return openListed(door.id);
  try {
    return openSync(bytesOf(door.file), 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const outcome = (result: number): Answer => (result >= 0 ? { ok: true } : { ok: false, errno: native().errno() });

const spent = (operation: Operation): { spent?: true } => ('door' in operation && operation.door !== undefined ? { spent: true } : {});

const path = (name: string): Uint8Array => Buffer.concat([bytesOf(name), Buffer.of(0)]);

function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function onOpen(mountPoint: string, call: (fd: number) => number): number {
  const fd = openSync(bytesOf(mountPoint), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
  try {
    return call(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * The mount table is bound to the namespace of whoever opens it, and a namespace may have no /proc of its own: it is
 * opened through a descriptor of the /proc that we came with. Between doors we go home, where their paths hold.
 */
function mountinfoOf(doors: readonly NamespaceDoor[]): Record<string, string> {
  const proc = openSync('/proc', constants.O_RDONLY | constants.O_DIRECTORY);
  const root = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
  const home = openSync('/proc/self/ns/mnt', 'r');
  const texts: Record<string, string> = {};
  for (const door of doors) {
    texts[door.id] = tableBehind(door, proc);
    if (native().setns(home, CLONE_NEWNS) !== 0 || native().fchdir(root) !== 0 || native().chroot(path('.')) !== 0) break;
  }
  return texts;
}

function tableBehind(door: NamespaceDoor, proc: number): string {
  try {
    const failed = enter(door);
    return failed === undefined ? readAll(native().openat(proc, 'thread-self/mountinfo', constants.O_RDONLY)) : `!${failed.errno}`;
  } catch (error) {
    return `!${errnoOf(error)}`;
  }
}

function readAll(fd: number): string {
  if (fd < 0) return `!${native().errno()}`;
  const buffer = Buffer.alloc(1 << 16);
  let text = '';
  for (let got = 1; got > 0; text += buffer.toString('latin1', 0, got)) got = readSync(fd, buffer, 0, buffer.length, null);
  closeSync(fd);
  return text;
}
