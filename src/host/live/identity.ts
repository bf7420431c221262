/** Who we are and on which kernel. */
import { endianness, machine } from 'node:os';
import { isMissing, missing, type Fact } from '../fact.ts';
import type { Files, Identity } from '../host.ts';

const AT_PAGESZ = 6;

/** Answers are read when first asked for: start-up needs few of them. */
export class LiveIdentity implements Identity {
  private readonly files: Files;

  constructor(files: Files) {
    this.files = files;
  }

  get release(): Fact<string> {
    return this.files.text('/proc/sys/kernel/osrelease');
  }

  get version(): Fact<string> {
    return this.files.text('/proc/sys/kernel/version');
  }

  get arch(): Fact<string> {
    return machine();
  }

  get pageSize(): Fact<number> {
    const path = '/proc/self/auxv';
    const vector = this.files.read(path);
    return isMissing(vector) ? vector : pageSizeIn(vector) ?? missing('malformed', path, 'no AT_PAGESZ');
  }

  get uid(): Fact<number> {
    return process.geteuid?.() ?? missing('absent', 'geteuid');
  }

  get capabilities(): Fact<readonly [number, number]> {
    const path = '/proc/self/status';
    const status = this.files.text(path);
    if (isMissing(status)) return status;
    const digits = /^CapEff:\s*([0-9a-f]{8})([0-9a-f]{8})$/m.exec(status);
    return digits === null ? missing('malformed', path, 'no CapEff') : [Number.parseInt(digits[2] ?? '', 16), Number.parseInt(digits[1] ?? '', 16)];
  }
}

/** AT_PAGESZ of an auxiliary vector of 64-bit words (every architecture that memory hotplug supports has those). */
export function pageSizeIn(vector: Uint8Array): number | undefined {
  const view = new DataView(vector.buffer, vector.byteOffset, vector.byteLength);
  const little = endianness() === 'LE';
  for (let at = 0; at + 16 <= view.byteLength; at += 16) {
    if (Number(view.getBigUint64(at, little)) === AT_PAGESZ) return Number(view.getBigUint64(at + 8, little));
  }
  return undefined;
}
