/** Boots one guest and holds the connections to it: console, channel, monitor. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode, LineReader, type FromGuest, type FromHost } from '../channel/protocol.ts';
import { buildInitramfs } from '../initramfs/build.ts';
import type { LabKernel } from '../kernels.ts';
import { diskImage, needsNewQemu, qemuArguments, type QemuPaths } from '../qemu/command.ts';
import { chooseQemu } from '../qemu/find.ts';
import { chooseAccel } from '../qemu/kvm.ts';
import { Hardware } from '../qemu/hardware.ts';
import { Qmp } from '../qemu/qmp.ts';
import type { Scenario } from '../../scenario/scenario.ts';

export interface Prepared {
  readonly program: string;
  readonly args: readonly string[];
  readonly qemuVersion: string;
  readonly paths: QemuPaths;
  readonly missingModules: readonly string[];
}

/** Everything up to the command line; `lab run --dry-run` prints it. */
export async function prepare(kernel: LabKernel, scenario: Scenario, options: { readonly shell?: boolean; readonly accel?: 'tcg' | 'kvm' } = {}): Promise<Prepared> {
  const qemu = await chooseQemu(needsNewQemu(scenario.machine) ? 10 : 7);
  const shell = options.shell === true;
  const initramfs = await buildInitramfs(kernel, scenario, { shell });
  // The system's temporary directory, for its short paths: a Unix socket's must stay below 108 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'unseat-lab-'));
  const paths: QemuPaths = { initramfs: initramfs.path, channel: join(folder, 'channel'), qmp: join(folder, 'qmp'), console: join(folder, 'console.log'), folder };
  for (const d of [...scenario.machine.disks, ...scenario.machine.virtioPmem]) {
    const image = openSync(diskImage(folder, d.name), 'w');
    ftruncateSync(image, d.size);
    closeSync(image);
  }
  const args = [...qemu.prefix, ...qemuArguments(kernel, scenario, paths, { accel: options.accel ?? (await chooseAccel(qemu, kernel)), shell })];
  return { program: qemu.program, args, qemuVersion: qemu.version, paths, missingModules: initramfs.missingModules };
}

/** Guests that run: none outlives its lab, however that ends. */
const running = new Map<ChildProcess, string>();

function endAll(): void {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
  running.clear();
}

process.on('exit', endAll);
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143]] as const) process.once(signal, () => process.exit(status));

export class RunningGuest {
  /** Resolves when QEMU has ended, with what it said on stderr. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private readonly servers: Server[] = [];
  private readonly paths: QemuPaths;
  private channel: Socket | null = null;
  private hardware: Hardware | null = null;
  private stderr = '';
  private readonly onMessage: (message: FromGuest) => void;

  private constructor(prepared: Prepared, child: ChildProcess, onMessage: (message: FromGuest) => void) {
    this.paths = prepared.paths;
    this.child = child;
    this.onMessage = onMessage;
    running.set(child, prepared.paths.folder);
    child.stderr?.on('data', (chunk: Buffer) => { this.stderr += chunk.toString(); });
    this.ended = new Promise((resolve) => child.on('close', () => resolve(this.stderr)));
    child.on('error', (error) => { this.stderr += error.message; });
  }

  static async start(prepared: Prepared, scenario: Scenario, onMessage: (message: FromGuest) => void): Promise<RunningGuest> {
    let guest: RunningGuest | null = null;
    const channel = await listen(prepared.paths.channel, (socket) => guest?.attach(socket));
    const monitor = await listen(prepared.paths.qmp, (socket) => { if (guest) guest.hardware = new Hardware(scenario, new Qmp(socket)); });
    guest = new RunningGuest(prepared, spawn(prepared.program, [...prepared.args], { stdio: ['ignore', 'ignore', 'pipe'] }), onMessage);
    guest.servers.push(channel, monitor);
    return guest;
  }

  send(message: FromHost): void {
    this.channel?.write(encode(message));
  }

  console(): string {
    return existsSync(this.paths.console) ? readFileSync(this.paths.console, 'latin1') : '';
  }

  /** Ends QEMU and removes the run's files. */
  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
    running.delete(this.child);
    for (const server of this.servers) server.close();
    rmSync(this.paths.folder, { recursive: true, force: true });
  }

  private attach(socket: Socket): void {
    this.channel = socket;
    const reader = new LineReader<FromGuest>((message) => {
      if (message.type === 'ask') void this.answer(message);
      else this.onMessage(message);
    });
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => reader.push(text));
    socket.on('error', () => { /* QEMU ended; `ended` tells */ });
  }

  private async answer(message: Extract<FromGuest, { type: 'ask' }>): Promise<void> {
    try {
      if (!this.hardware) throw new Error('there is no monitor');
      this.send({ type: 'answer', id: message.id, ok: true, value: await this.hardware.act(message.action) });
    } catch (error) {
      this.send({ type: 'answer', id: message.id, ok: false, error: error instanceof Error ? error.message : String(error) });
    }
  }
}

function listen(path: string, take: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(take);
    server.on('error', reject);
    server.listen(path, () => resolve(server));
  });
}
