/** Builds the tree of an archive entry by entry, and refuses entries that would lie outside of it. */
import type { FileKind } from '../host.ts';
import { badCapture, reachesOutside, tooLarge, type CaptureLimits } from './limits.ts';
import { MemoryNode } from './tree.ts';

export interface PlantedEntry {
  readonly name: string;
  readonly kind: FileKind | 'hard-link';
  readonly mode: number;
  readonly bytes?: Uint8Array;
  readonly target?: string;
  readonly rdev?: string;
}

export class Planter {
  readonly top = new MemoryNode('directory', 1, 0o755);
  private readonly archive: string;
  private readonly limits: CaptureLimits;
  private count = 1;

  constructor(archive: string, limits: CaptureLimits) {
    this.archive = archive;
    this.limits = limits;
  }

  /** Checks a name of the archive; returns its components. Called before the entry's bytes are read. */
  componentsOf(name: string): string[] {
    if (Buffer.byteLength(name) > this.limits.pathBytes) throw tooLarge(this.archive, 'a name', Buffer.byteLength(name), this.limits.pathBytes, 'bytes');
    if (name.startsWith('/')) throw reachesOutside(this.archive, name, 'an entry has an absolute name');
    if (name.includes('\0')) throw reachesOutside(this.archive, name, 'an entry has a name with a zero byte');
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw reachesOutside(this.archive, name, "an entry leaves the archive with '..'");
    return parts;
  }

  add(entry: PlantedEntry): void {
    const parts = this.componentsOf(entry.name);
    this.count += 1;
    if (this.count > this.limits.entries) throw tooLarge(this.archive, 'the number of entries', this.count, this.limits.entries, 'entries');
    const last = parts.pop();
    if (last === undefined) {
      if (entry.kind !== 'directory') throw badCapture(this.archive, 'an entry has no name', `a ${entry.kind} named ${JSON.stringify(entry.name)}`);
      return;
    }
    const parent = this.directory(parts, entry.name);
    const before = parent.entries?.get(last);
    if (entry.kind === 'directory' && before?.kind === 'directory') return;
    parent.entries?.set(last, this.nodeOf(entry, parts));
  }

  private nodeOf(entry: PlantedEntry, parents: readonly string[]): MemoryNode {
    if (entry.kind === 'hard-link') return this.linkedTo(entry);
    if (entry.kind === 'link') this.checkLink(entry, parents.length);
    return new MemoryNode(entry.kind, this.count, entry.mode, entry);
  }

  /** A hard link is another name for an entry that came before it; anything else would be a file of the reader's machine. */
  private linkedTo(entry: PlantedEntry): MemoryNode {
    let node: MemoryNode | undefined = this.top;
    for (const part of this.componentsOf(entry.target ?? '')) node = node?.children().get(part);
    if (node === undefined || node.kind !== 'file') {
      throw reachesOutside(this.archive, `${entry.name} => ${entry.target ?? ''}`, 'a hard link names a file that the archive does not hold');
    }
    return node;
  }

  /** Absolute targets mean the captured machine's root and stay inside; relative ones may not climb above the archive. */
  private checkLink(entry: PlantedEntry, depth: number): void {
    const target = entry.target ?? '';
    if (target.startsWith('/')) return;
    let level = depth;
    for (const part of target.split('/')) {
      if (part === '' || part === '.') continue;
      level += part === '..' ? -1 : 1;
      if (level < 0) throw reachesOutside(this.archive, `${entry.name} -> ${target}`, 'a link leaves the archive');
    }
  }

  private directory(parts: readonly string[], name: string): MemoryNode {
    let node = this.top;
    for (const part of parts) {
      let next = node.entries?.get(part);
      if (next === undefined) {
        this.count += 1;
        next = new MemoryNode('directory', this.count, 0o755);
        node.entries?.set(part, next);
      }
      if (next.kind === 'link') throw reachesOutside(this.archive, name, 'an entry lies below a link');
      if (next.entries === null) throw badCapture(this.archive, 'an entry lies below a file', JSON.stringify(name));
      node = next;
    }
    return node;
  }
}
