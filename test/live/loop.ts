/** A loop-mounted ext4 file system and compiled test programs, for tests on the live machine. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { journalPath } from '../../src/remove/journal/journal.ts';
import type { ProcessRef } from '../../src/host/actions.ts';

const has = (program: string): boolean => (process.env['PATH'] ?? '').split(':').some((dir) => existsSync(join(dir, program)));

export const hasProgram = has;
export const hasPython = (): boolean => has('python3');

/** Why live tests cannot run here; false where they can. For the `skip` option of a test. */
export function cannotRunLive(): string | false {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x86-64';
  if (process.geteuid?.() !== 0) return 'needs root (ptrace of other processes, loop mounts)';
  for (const program of ['gcc', 'losetup', 'mkfs.ext4', 'mount', 'umount']) if (!has(program)) return `needs ${program}`;
  return existsSync('/dev/loop-control') ? false : 'needs loop devices';
}

const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

export const temporary = (): string => mkdtempSync(join(tmpdir(), 'unseat-'));

/** Compiles test/programs/NAME.c into `directory`. */
export function compile(name: string, directory: string, ...flags: string[]): string {
  const out = join(directory, name);
  const avx = /\bavx\b/.test(readFileSync('/proc/cpuinfo', 'latin1')) ? ['-mavx'] : [];
  run('gcc', '-O1', ...avx, '-pthread', ...flags, '-o', out, resolve(import.meta.dirname, `../programs/${name}.c`));
  return out;
}

export class LoopMount {
  readonly directory: string;
  readonly mountPoint: string;
  device: string;
  /** As `deviceNumbers`, kept for when nothing is mounted. */
  numbers: ReadonlySet<string> = new Set();

  constructor(megabytes: number) {
    this.directory = temporary();
    const image = join(this.directory, 'image');
    writeFileSync(image, '');
    truncateSync(image, megabytes * 1024 * 1024);
    run('mkfs.ext4', '-q', '-F', image);
    this.device = run('losetup', '-f', '--show', image);
    this.forgetRemovals();
    this.mountPoint = join(this.directory, 'mnt');
    run('mkdir', this.mountPoint);
    run('mount', this.device, this.mountPoint);
    this.numbers = this.deviceNumbers();
  }

  /** After the loop device was taken away: a new one, mounted at the same place. */
  attach(): void {
    this.device = run('losetup', '-f', '--show', join(this.directory, 'image'));
    this.mount();
    this.numbers = this.deviceNumbers();
  }

  /** Device numbers by which processes hold the file system: of its inodes, and of the block device. */
  deviceNumbers(): Set<string> {
    const number = (n: number): string => `${(n >> 8) & 0xfff}:${(n & 0xff) | ((n >> 12) & 0xfff00)}`;
    return new Set([number(statSync(this.mountPoint).dev), number(statSync(this.device).rdev)]);
  }

  path(name: string): string {
    return join(this.mountPoint, name);
  }

  /** Throws, with the program's own words, where the file system is busy. */
  unmount(): void {
    run('umount', this.mountPoint);
  }

  mount(): void {
    run('mount', this.device, this.mountPoint);
  }

  /** A test that was ended half way leaves a journal under the name of a loop device that is a new one now. */
  private forgetRemovals(): void {
    rmSync(journalPath(`loop:${basename(this.device)}`), { force: true });
  }

  /** Whatever state it is in. */
  dispose(): void {
    this.forgetRemovals();
    for (const args of [['umount', '-l', this.mountPoint], ['losetup', '-d', this.device]]) {
      try {
        run(args[0] ?? '', ...args.slice(1));
      } catch {
        // Already done by the test.
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A program that answers one line for each command line. */
export class Program {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: string[] = [];
  private waiting: ((line: string) => void)[] = [];
  ended: string | null = null;

  constructor(file: string, args: readonly string[], cwd = '/') {
    this.child = spawn(file, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    let pending = '';
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      pending += text;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        const next = this.waiting.shift();
        if (next === undefined) this.lines.push(line);
        else next(line);
      }
    });
    this.child.stdin.on('error', () => undefined);
    this.child.on('exit', (code, signal) => {
      this.ended = signal ?? `status ${code}`;
      for (const next of this.waiting.splice(0)) next(`ended: ${this.ended}`);
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get ref(): ProcessRef {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'latin1');
    return { pid: this.pid, startTime: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) };
  }

  line(): Promise<string> {
    const ready = this.lines.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.ended !== null) return Promise.resolve(`ended: ${this.ended}`);
    return new Promise((done) => this.waiting.push(done));
  }

  ask(command: string): Promise<string> {
    this.child.stdin.write(`${command}\n`);
    return this.line();
  }

  /** Waits for its end. */
  gone(): Promise<void> {
    return this.ended !== null ? Promise.resolve() : new Promise((done) => this.child.once('exit', () => done()));
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
