/**
 * The mount table of a namespace that nobody is in, without going there: listmount(2) and statmount(2) take the number of the
 * namespace (6.11; the source of a mount comes along from 6.13 on). What is told is put into the form of mountinfo
 * (fs/proc_namespace.c, show_mountinfo()). A child that goes to the namespace takes forty milliseconds to start.
 */
import { closeSync } from 'node:fs';
import { quietly } from './absence.ts';
import { openListed } from './kept-namespaces.ts';
import { native } from './native.ts';

/** The same on every architecture that the FFI library has (asm-generic/unistd.h and the x86 table). */
const SYS_STATMOUNT = 457;
const SYS_LISTMOUNT = 458;
/** _IOR(0xb7, 5, __u64): the number of a mount namespace. */
const NS_GET_MNTNS_ID = 0x8008b705;
const LSMT_ROOT = 0xffff_ffff_ffff_ffffn;
/** struct mnt_id_req as of 6.11: size, spare, mount, parameter, namespace. */
const REQUEST_SIZE = 32;
const IDS = 512;
const RECORD = 1 << 16;
/** STATMOUNT_ bits: super block, mount, propagation, root, point, type; options, subtype and source, which may be absent. */
const ALWAYS = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20;
const [OPTIONS, SUBTYPE, SOURCE] = [0x80, 0x100, 0x200];
/** Offsets in struct statmount (include/uapi/linux/mount.h). Texts are offsets from TEXTS. */
const AT = { options: 4, mask: 8, major: 16, minor: 20, superFlags: 32, type: 36, id: 56, parent: 60, attributes: 64, propagation: 72, peers: 80, master: 88, from: 96, root: 104, point: 108, subtype: 120, source: 124 } as const;
const TEXTS = 512;

/** As /proc/PID/mountinfo of a process whose root is the namespace's; undefined where this kernel or user cannot tell. */
export function mountTableOf(id: number): string | undefined {
  return quietly(() => {
    const namespace = numberOf(id);
    if (namespace === undefined) return undefined;
    const memory = new Memory();
    const mounts = memory.list(namespace);
    const lines = mounts?.map((mount) => memory.line(namespace, mount));
    // One that went away meanwhile is told as an empty line.
    return lines === undefined || lines.includes(undefined) ? undefined : lines.join('');
  }, () => undefined);
}

function numberOf(id: number): bigint | undefined {
  const fd = openListed(id);
  if (fd === undefined) return undefined;
  const number = new Uint8Array(8);
  const done = native().ioctl(fd, NS_GET_MNTNS_ID, number);
  closeSync(fd);
  return done === 0 ? new DataView(number.buffer).getBigUint64(0, true) : undefined;
}

class Memory {
  private readonly bytes = Buffer.allocUnsafeSlow(REQUEST_SIZE + IDS * 8 + RECORD);
  private readonly base = Number(native().address(this.bytes));
  private readonly record = this.bytes.subarray(REQUEST_SIZE + IDS * 8);

  /** In the order of mountinfo. */
  list(namespace: bigint): bigint[] | undefined {
    const found: bigint[] = [];
    for (;;) {
      this.request(namespace, LSMT_ROOT, found.at(-1) ?? 0n);
      const got = native().calls.syscall(SYS_LISTMOUNT, this.base, this.base + REQUEST_SIZE, IDS, 0);
      if (got < 0) return undefined;
      for (let i = 0; i < got; i += 1) found.push(this.bytes.readBigUInt64LE(REQUEST_SIZE + i * 8));
      if (got < IDS) return found;
    }
  }

  line(namespace: bigint, mount: bigint): string | undefined {
    this.request(namespace, mount, BigInt(ALWAYS | OPTIONS | SUBTYPE | SOURCE));
    if (native().calls.syscall(SYS_STATMOUNT, this.base, this.base + REQUEST_SIZE + IDS * 8, RECORD, 0) !== 0) return native().errno() === 'ENOENT' ? '' : undefined;
    const mask = this.record.readUInt32LE(AT.mask);
    if ((mask & ALWAYS) !== ALWAYS || (mask & SOURCE) === 0) return undefined;
    const word = (at: number): number => this.record.readUInt32LE(at);
    const type = `${escaped(this.text(AT.type), ' \t\n\\#')}${mask & SUBTYPE ? `.${escaped(this.text(AT.subtype), ' \t\n\\#')}` : ''}`;
    const options = mask & OPTIONS ? `,${this.text(AT.options)}` : '';
    return `${word(AT.id)} ${word(AT.parent)} ${word(AT.major)}:${word(AT.minor)} ${escaped(this.text(AT.root), ' \t\n\\')} ${escaped(this.text(AT.point), ' \t\n\\')} ${this.mountOptions()}${this.propagation()} - ${type} ${escaped(this.text(AT.source), ' \t\n\\#')} ${this.superOptions()}${options}\n`;
  }

  private request(namespace: bigint, mount: bigint, parameter: bigint): void {
    this.bytes.writeUInt32LE(REQUEST_SIZE, 0);
    this.bytes.writeUInt32LE(0, 4);
    for (const [i, value] of [mount, parameter, namespace].entries()) this.bytes.writeBigUInt64LE(value, 8 + i * 8);
  }

  private text(at: number): string {
    const from = TEXTS + this.record.readUInt32LE(at);
    return this.record.toString('latin1', from, this.record.indexOf(0, from));
  }

  /** MOUNT_ATTR_ bits, in the order in which show_mnt_opts() prints them. */
  private mountOptions(): string {
    const bits = this.record.readUInt32LE(AT.attributes);
    const atime = bits & 0x70;
    const named = [[bits & 0x2, 'nosuid'], [bits & 0x4, 'nodev'], [bits & 0x8, 'noexec'], [atime === 0x10, 'noatime'], [bits & 0x80, 'nodiratime'], [atime === 0, 'relatime'], [bits & 0x200000, 'nosymfollow'], [bits & 0x100000, 'idmapped']] as const;
    return [bits & 0x1 ? 'ro' : 'rw', ...named.flatMap(([set, name]) => (set ? [name] : []))].join(',');
  }

  private propagation(): string {
    const [bits, peers, master, from] = [AT.propagation, AT.peers, AT.master, AT.from].map((at) => this.record.readUInt32LE(at)) as [number, number, number, number];
    const shared = bits & (1 << 20) ? ` shared:${peers}` : '';
    const slave = bits & (1 << 19) ? ` master:${master}${from !== 0 && from !== master ? ` propagate_from:${from}` : ''}` : '';
    return `${shared}${slave}${bits & (1 << 17) ? ' unbindable' : ''}`;
  }

  private superOptions(): string {
    const bits = this.record.readUInt32LE(AT.superFlags);
    return [bits & 0x1 ? 'ro' : 'rw', ...([[0x10, 'sync'], [0x80, 'dirsync'], [1 << 25, 'lazytime']] as const).flatMap(([bit, name]) => (bits & bit ? [name] : []))].join(',');
  }
}

/** As mangle() of the kernel: a backslash and three octal digits. */
const escaped = (text: string, what: string): string => [...text].map((c) => (what.includes(c) ? `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}` : c)).join('');
