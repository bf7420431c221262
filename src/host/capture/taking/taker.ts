/** Takes files, links and directories from a host into an archive, and writes down what exists and could not be read. */
import { isMissing, type Fact, type Missing } from '../../fact.ts';
import type { Host } from '../../host.ts';
import type { EntrySink } from '../archive-writer.ts';
import type { Disguise } from './disguise.ts';
import { LEFT_OUT_DIRECTORIES, LEFT_OUT_FILES } from './subjects.ts';

/** No directory of proc or sysfs is deeper. */
const MAX_DEPTH = 40;

export class Taker {
  readonly host: Host;
  readonly disguise: Disguise;
  /** Lines of `unreadable.txt`. */
  readonly unreadable: string[] = [];
  /** Directories of which all names are there, and paths that the machine does not have. */
  readonly complete: string[] = [];
  private readonly sink: EntrySink;
  private readonly taken = new Set<string>();
  private readonly progress: (done: number, path: string) => void;

  constructor(host: Host, sink: EntrySink, disguise: Disguise, progress: (done: number, path: string) => void) {
    this.host = host;
    this.sink = sink;
    this.disguise = disguise;
    this.progress = progress;
  }

  /** Bytes that were not read from the path of the same name: texts that unseat makes itself. Not disguised. */
  async made(name: string, text: string | Uint8Array): Promise<void> {
    await this.sink.file(name, typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** A file of the machine; `mode` is asked for only where it says something. */
  async file(path: string): Promise<void> {
    if (!this.first(path)) return;
    const bytes = this.host.files.read(path);
    if (!isMissing(bytes)) await this.sink.file(`root${path}`, this.disguise.content(path, bytes), this.modeOf(path, bytes.length));
    else await this.absent(path, bytes);
  }

  /** Bytes that a facet of the host read from `path`, under another name; nothing where they could not be read. */
  async as(name: string, path: string, bytes: Fact<Uint8Array>): Promise<void> {
    if (!isMissing(bytes)) await this.sink.file(`root${name}`, this.disguise.content(path, bytes), 0o444);
  }

  /** The same for a link. */
  async linkAs(name: string, target: string): Promise<void> {
    await this.sink.link(`root${name}`, target);
  }

  /** A link as it is stored. Returns false where the path is none. */
  async link(path: string): Promise<boolean> {
    const target = this.host.files.link(path);
    if (isMissing(target)) return false;
    if (this.first(path)) await this.sink.link(`root${path}`, target);
    return true;
  }

  /** A directory and, with `deep`, everything below it. Links are not followed. */
  async tree(path: string, deep: boolean, keep: (name: string) => boolean = () => true, depth = 0): Promise<void> {
    const names = this.host.files.list(path);
    if (isMissing(names)) return this.absent(path, names);
    if (!this.first(path)) return;
    await this.sink.directory(`root${path}`);
    if (!path.startsWith('/sys/devices/') && this.isWhole(path)) this.complete.push(path);
    for (const name of names) {
      const full = `${path}/${name}`;
      if (keep(name) && !await this.link(full)) await this.inside(full, deep, keep, depth);
    }
  }

  private async inside(path: string, deep: boolean, keep: (name: string) => boolean, depth: number): Promise<void> {
    const stat = this.host.files.stat(path);
    if (isMissing(stat)) return this.absent(path, stat);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (stat.kind === 'file') return LEFT_OUT_FILES.test(name) ? this.leftOut(path) : this.file(path);
    if (stat.kind === 'directory' && deep && depth < MAX_DEPTH && !LEFT_OUT_DIRECTORIES.test(name)) return this.tree(path, deep, keep, depth + 1);
    this.leftOut(path);
  }

  /** Whether a name that is not there is known to be absent on this host; a capture may hold half a directory. */
  private isWhole(path: string): boolean {
    const probe = this.host.files.stat(`${path}/unseat-no-such-name`);
    return isMissing(probe) && probe.missing === 'absent';
  }

  /** What the machine does not have is said in the manifest; what exists and cannot be read stands as an empty file. */
  private async absent(path: string, why: Missing): Promise<void> {
    if (why.missing === 'not-captured' || why.missing === 'vanished') return;
    if (why.missing === 'absent' && (why.detail === undefined || why.detail === 'ENOENT')) {
      this.complete.push(path);
      return;
    }
    if (/[\n ]/.test(path)) return;
    this.unreadable.push(`${path} read ${why.detail ?? (why.missing === 'denied' ? 'EACCES' : why.missing)}`);
    if (why.detail !== 'EISDIR') await this.sink.file(`root${path}`, new Uint8Array(0), this.modeOf(path, 0));
  }

  private leftOut(path: string): void {
    if (!/[\n ]/.test(path)) this.unreadable.push(`${path} left-out`);
  }

  private modeOf(path: string, length: number): number {
    if (length > 0) return 0o444;
    const stat = this.host.files.stat(path);
    return isMissing(stat) ? 0 : stat.mode & 0o7777;
  }

  private first(path: string): boolean {
    if (this.taken.has(path)) return false;
    this.taken.add(path);
    this.progress(this.taken.size, path);
    return true;
  }
}
