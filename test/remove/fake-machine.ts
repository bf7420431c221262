/**
 * A machine in memory, just large enough for the removal engine: one pmem device with a file system, processes that
 * hold it, memory blocks, settings. Processes that are not stopped touch their mappings at every host call, as running
 * programs do. It keeps count of what must never happen.
 */
import type { ActResult, Actions, ProcessRef } from '../../src/host/actions.ts';
import { missing } from '../../src/host/fact.ts';
import type { Fact } from '../../src/host/fact.ts';
import type { FileStat, Host, LogLine } from '../../src/host/host.ts';
import type { OpenFile, Place, Processes } from '../../src/host/processes.ts';
import type { Trace } from '../../src/host/trace.ts';
import { FS_DEV, mapping, PAGE, systemCall, type FakeProcess } from './fake-process.ts';

export { FS_DEV } from './fake-process.ts';
export const RANGE = { start: 0x1_0000_0000, end: 0x1_2000_0000 };
export const DRIVER = '/sys/bus/nd/drivers/nd_pmem';
export const EARLY_KILL = '/proc/sys/vm/memory_failure_early_kill';
const HARD_OFFLINE = '/sys/devices/system/memory/hard_offline_page';

const ok = (): ActResult => ({ ok: true, definite: true, milliseconds: 0 });
const errno = (name: string): ActResult => ({ ok: false, errno: name, definite: true, milliseconds: 0 });
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

export class FakeMachine {
  readonly processes = new Map<number, FakeProcess>();
  mounted = ['/mnt'];
  bound = true;
  readonly settings = new Map<string, string>([[EARLY_KILL, '0'], ['/sys/devices/system/memory/auto_online_blocks', 'online']]);
  readonly blocks = new Map<number, string>();
  /** Blocks whose offline fails, with the errno. */
  readonly stubborn = new Map<number, string>();
  readonly log: LogLine[] = [];
  readonly store = new Map<string, string>();
  /** What must never happen: each is a defect of the engine. */
  readonly harm: string[] = [];
  private clock = 0;

  add(pid: number, shape: Partial<Pick<FakeProcess, 'cwd' | 'remaps' | 'late'>> & { shared?: number; privates?: number; fds?: number } = {}): FakeProcess {
    const process: FakeProcess = {
      pid, startTime: 1000 + pid, comm: `p${pid}`, mappings: [], files: new Map([[0, '1:3']]), cwd: shape.cwd ?? '8:1', stopped: false, alive: true, present: new Map(),
      remaps: shape.remaps ?? 0, late: shape.late ?? false,
    };
    for (let i = 0; i < (shape.shared ?? 0); i += 1) process.mappings.push(mapping(0x7f00_0000_0000 + i * 0x10_0000, 8 * PAGE, 'rw-s', FS_DEV));
    for (let i = 0; i < (shape.privates ?? 0); i += 1) process.mappings.push(mapping(0x7e00_0000_0000 + i * 0x10_0000, 4 * PAGE, 'rw-p', FS_DEV));
    for (let i = 0; i < (shape.fds ?? 0); i += 1) process.files.set(3 + i, FS_DEV);
    this.processes.set(pid, process);
    this.run();
    return process;
  }

  /** Everybody who is not stopped uses what is mapped. */
  private run(): void {
    for (const p of this.processes.values()) {
      if (p.stopped || !p.alive) continue;
      if (p.remaps > 0 && this.bound && this.mounted.length > 0 && !p.mappings.some((m) => m.dev === FS_DEV)) {
        p.remaps -= 1;
        p.mappings.push(mapping(0x7d00_0000_0000, PAGE, 'rw-s', FS_DEV));
      }
      if (!this.bound) {
        if (p.present.size > 0) this.harm.push(`pid ${p.pid} uses the device after it is gone`);
        continue;
      }
      for (const m of p.mappings) if (m.dev === FS_DEV) for (let a = m.start; a < m.end; a += PAGE) if (!p.present.has(a)) p.present.set(a, RANGE.start + (m.offset + a - m.start));
    }
  }

  /** unseat and its child die: the kernel lets every stopped process go on, the child puts settings back. */
  crash(): void {
    for (const p of this.processes.values()) p.stopped = false;
    this.run();
  }

  get anyoneHolds(): boolean {
    return [...this.processes.values()].some((p) => p.alive && (p.mappings.some((m) => m.dev === FS_DEV) || [...p.files.values()].includes(FS_DEV) || p.cwd === FS_DEV));
  }

  host(): Host {
    const tick = <T>(answer: () => T): T => {
      this.clock += 1;
      this.run();
      return answer();
    };
    return {
      kind: 'simulated', label: 'fake machine',
      identity: { release: '6.12.0', version: '', arch: 'x86_64', pageSize: PAGE, uid: 0, capabilities: [0xffffffff, 0xff] },
      files: {
        read: (path) => tick(() => { const t = this.text(path); return t === null ? missing('absent', path) : bytes(t); }),
        text: (path) => tick(() => this.text(path) ?? missing('absent', path)),
        readAt: (path) => missing('absent', path),
        list: (path) => tick(() => (path === '/sys/block' ? ['pmem0'] : missing('absent', path))),
        link: (path) => missing('absent', path),
        resolve: (path) => path,
        stat: (path) => tick<Fact<FileStat>>(() => (this.exists(path) ? { kind: 'file', dev: '0:21', ino: 1, mode: 0o100644, size: 1 << 20 } : missing('absent', path))),
      },
      processes: this.processesFacet(tick),
      mounts: { all: () => tick(() => [{ id: 1, pid: 1, mountinfo: bytes(this.mounted.map((m, i) => `${30 + i} 1 ${FS_DEV} / ${m} rw - ext4 /dev/pmem0 rw,dax=always\n`).join('')) }]) },
      log: { since: (after) => this.log.filter((l) => l.sequence > after), mark: () => this.log.length - 1 },
      time: { now: () => this.clock, wall: () => '2026-11-20T06:00:00Z', sleep: async (ms) => { this.clock += ms; } },
      actions: this.actionsFacet(tick),
      trace: this.traceFacet(tick),
      close: () => undefined,
    };
  }

  private text(path: string): string | null {
    const block = /memory(\d+)\/state$/.exec(path);
    if (block !== null) return this.blocks.get(Number(block[1])) ?? null;
    if (path === '/proc/iomem') return `100000000-11fffffff : Persistent Memory\n${[...this.blocks.keys()].map(() => '  108000000-10fffffff : System RAM (kmem)').slice(0, this.bound ? 9 : 0).join('\n')}`;
    if (path === '/proc/meminfo') return 'MemTotal: 1000000 kB\nMemAvailable: 900000 kB';
    if (path === '/proc/sys/kernel/random/boot_id') return 'boot';
    return this.settings.get(path) ?? null;
  }

  private exists(path: string): boolean {
    if (path === `${DRIVER}/pfn0.0` || path === '/sys/block/pmem0') return this.bound;
    if (path === `${DRIVER}/bind` || path.includes('/map_files/')) return true;
    return this.text(path) !== null;
  }

  private processesFacet(tick: <T>(answer: () => T) => T): Processes {
    const at = <T>(pid: number, answer: (p: FakeProcess) => Fact<T>): Fact<T> => tick(() => {
      const p = this.processes.get(pid);
      return p === undefined || !p.alive ? missing('vanished', `/proc/${pid}`) : answer(p);
    });
    return {
      pids: () => tick(() => [...this.processes.values()].filter((p) => p.alive).map((p) => p.pid)),
      threads: (pid) => at(pid, () => [pid]),
      read: (pid, name) => at<Uint8Array>(pid, (p) => {
        if (name === 'stat') return bytes(`${pid} (${p.comm}) S 1 ${pid} ${pid} 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 ${p.startTime} 1000000 100 18446744073709551615 1 1 140000000000 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0`);
        if (name === 'status') return bytes(`Name:\t${p.comm}\nUid:\t0\t0\t0\t0\nNSpid:\t${pid}\nVmPin:\t0 kB\n`);
        if (name === 'limits') return bytes('Max open files            1024                 1024                 files\n');
        return bytes('');
      }),
      mappings: (pid, devices) => at(pid, (p) => p.mappings.filter((m) => devices === undefined || devices.has(m.dev))),
      openFiles: (pid) => at<readonly OpenFile[]>(pid, (p) => [...p.files].map(([fd, dev]) => ({ fd, target: '/x', dev, ino: 1 }))),
      fdInfo: (pid) => at(pid, () => bytes('flags:\t0100002\n')),
      place: (pid, which) => at<Place>(pid, (p) => (which === 'cwd' ? { target: '/x', dev: p.cwd, ino: 2 } : { target: '/', dev: '8:1', ino: 2 })),
      namespace: () => 1,
      pagemap: (pid, address, into) => at(pid, (p) => {
        if (!this.bound) this.harm.push(`pagemap of pid ${pid} read after the device is gone`);
        const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
        for (let i = 0; i < into.byteLength / 8; i += 1) {
          const physical = p.present.get(address + i * PAGE);
          view.setBigUint64(i * 8, physical === undefined ? 0n : (1n << 63n) | BigInt(physical / PAGE), true);
        }
        return into.byteLength;
      }),
    };
  }

  private actionsFacet(tick: <T>(answer: () => T) => T): Actions {
    const known = (r: ProcessRef): FakeProcess | null => {
      const p = this.processes.get(r.pid);
      return p !== undefined && p.alive && p.startTime === r.startTime ? p : null;
    };
    return {
      write: async (path, text) => tick(() => this.write(path, text)),
      signal: async (ref, signal) => tick(() => {
        const p = known(ref);
        if (p === null) return errno('ESRCH');
        if (signal === 'SIGKILL') { p.alive = false; p.present.clear(); p.mappings = []; p.files.clear(); }
        return ok();
      }),
      awaitExit: async (ref) => tick(() => (known(ref) === null ? ok() : errno('ETIMEDOUT'))),
      unmount: async (_ns, mountPoint) => tick(() => {
        if (!this.mounted.includes(mountPoint)) return errno('EINVAL');
        if (this.anyoneHolds) return errno('EBUSY');
        if (!this.bound) this.harm.push('umount after the device is gone');
        this.mounted = this.mounted.filter((m) => m !== mountPoint);
        return ok();
      }),
      sync: async () => tick(ok),
      shutdownFilesystem: async () => tick(ok),
      swapOff: async () => tick(ok),
      run: async () => tick(ok),
      store: {
        append: async (path, text) => { this.store.set(path, (this.store.get(path) ?? '') + text); },
        replace: async (path, text) => { this.store.set(path, text); },
        read: (path) => this.store.get(path) ?? missing('absent', path),
        list: (dir) => [...this.store.keys()].filter((k) => k.startsWith(`${dir}/`)).map((k) => k.slice(dir.length + 1)),
        remove: async (path) => { this.store.delete(path); },
      },
    };
  }

  private write(path: string, text: string): ActResult {
    if (path === `${DRIVER}/unbind`) {
      for (const p of this.processes.values()) if (p.present.size > 0) this.harm.push(`unbind under mapped pages of pid ${p.pid}`);
      if ([...this.blocks.values()].some((s) => s !== 'offline')) this.harm.push('unbind under online blocks');
      this.bound = false;
      return ok();
    }
    if (path === `${DRIVER}/bind`) { this.bound = true; return ok(); }
    if (path === HARD_OFFLINE) return this.failPage(Number(text));
    const block = /memory(\d+)\/state$/.exec(path);
    if (block !== null) {
      const refusal = text === 'offline' ? this.stubborn.get(Number(block[1])) : undefined;
      if (refusal !== undefined) return errno(refusal);
      this.blocks.set(Number(block[1]), text.startsWith('online') ? 'online' : text);
      return ok();
    }
    if (!this.settings.has(path)) return errno('ENOENT');
    this.settings.set(path, text);
    return ok();
  }

  private failPage(physical: number): ActResult {
    if (this.settings.get(EARLY_KILL) !== '1') return ok();
    for (const p of this.processes.values()) if (!p.late) for (const [address, at] of p.present) if (at === physical) p.present.delete(address);
    return ok();
  }

  private traceFacet(tick: <T>(answer: () => T) => T): Trace {
    const of = (ref: ProcessRef): FakeProcess | undefined => this.processes.get(ref.pid);
    return {
      obstacle: () => null,
      stop: async (ref) => tick(() => {
        const p = of(ref);
        if (p === undefined || !p.alive) return missing('vanished', `/proc/${ref.pid}`);
        p.stopped = true;
        return { process: ref, threads: [ref.pid], carrier: ref.pid };
      }),
      inject: async (ref, chain) => tick(() => {
        const p = of(ref);
        if (p === undefined || !p.stopped) return { ...errno('ESRCH'), results: [] };
        return { ...ok(), results: chain.map((call) => systemCall(p, call)) };
      }),
      holds: (ref) => of(ref)?.stopped === true,
      peek: async () => missing('unreadable', 'mem'),
      release: async (ref) => tick(() => { const p = of(ref); if (p !== undefined) p.stopped = false; this.run(); return ok(); }),
    };
  }
}
