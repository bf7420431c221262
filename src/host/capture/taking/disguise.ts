/**
 * Anonymizing: names of hosts, files and users, command lines, serials, UUIDs and hardware addresses are replaced, the
 * same original always by the same substitute, so that a mapping still lies on its mount and a namespace keeps its
 * identity. Names of programs (`comm`), of devices and of system directories stay: without them nothing can be planned.
 */
import type { ByteString } from '../../host.ts';
import { byteString, bytesOf, escapeOctal, unescapeOctal } from '../../names.ts';

/** Top directories whose contents come with the system. */
const SYSTEM = new Set(['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'etc', 'dev', 'proc', 'sys', 'boot', 'init', 'initrd']);
/** Top directories that every system has, with contents of its own. */
const COMMON = new Set(['home', 'root', 'opt', 'srv', 'mnt', 'media', 'var', 'tmp', 'run']);

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
const MAC = /\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/gi;
const SERIAL_FILE = /(?:^|[_/])(?:serial|serial_number|wwid|unique_id|nguid|eui)$|\/nfit\/id$|\/dm\/(?:name|uuid)$/;

export class Disguise {
  private readonly on: boolean;
  private readonly hostName: ByteString | null;
  private readonly substitutes = new Map<string, string>();
  private readonly counts = new Map<string, number>();
  /** Serials long enough to be found in a text; the kernel log is taken last and may repeat them. */
  private readonly serials = new Map<string, string>();

  constructor(on: boolean, hostName: string | null) {
    this.on = on;
    this.hostName = hostName;
  }

  /** The content of a file as it goes into the archive. */
  content(path: string, bytes: Uint8Array): Uint8Array {
    if (!this.on || bytes.length === 0) return bytes;
    if (path.endsWith('/vpd')) return withoutSerial(bytes);
    const text = byteString(bytes);
    return bytesOf(this.general(this.particular(path, text)));
  }

  /** A path, link target or the like, as maps, descriptors and mounts have it. */
  name(name: ByteString): ByteString {
    if (!this.on) return name;
    const deleted = name.endsWith(' (deleted)') ? ' (deleted)' : '';
    const plain = name.slice(0, name.length - deleted.length);
    const special = /^(\/memfd:|\[anon(?:_shmem)?:)([\s\S]*?)(\]?)$/.exec(plain);
    if (special) return `${special[1]}${this.substitute('n', special[2] as string)}${special[3]}${deleted}`;
    return `${plain.startsWith('/') ? this.path(plain) : plain}${deleted}`;
  }

  private path(path: ByteString): ByteString {
    const parts = path.split('/');
    const top = parts[1] ?? '';
    if (SYSTEM.has(top)) return path;
    const kept = COMMON.has(top) ? 2 : 1;
    return parts.map((part, i) => (i < kept || part === '' || part === '.' || part === '..' ? part : this.substitute('n', part))).join('/');
  }

  private substitute(kind: string, original: string): string {
    const key = `${kind}\0${original}`;
    let found = this.substitutes.get(key);
    if (found === undefined) {
      const count = (this.counts.get(kind) ?? 0) + 1;
      this.counts.set(kind, count);
      this.substitutes.set(key, (found = formOf(kind, count)));
    }
    return found;
  }

  private serial(kind: 'hex' | 'serial', serial: string): string {
    const found = this.substitute(kind, serial);
    if (serial.length >= 6 && !/^0+$/.test(serial)) this.serials.set(serial, found);
    return found;
  }

  /** What can stand in any text. */
  private general(text: ByteString): ByteString {
    const replaced = text
      .replace(UUID, (uuid) => (/^[0-]+$/.test(uuid) ? uuid : this.substitute('uuid', uuid.toLowerCase())))
      .replace(MAC, (mac) => this.substitute('mac', mac.toLowerCase()));
    return this.hostName === null || this.hostName.length < 3 ? replaced : replaced.replaceAll(this.hostName, 'host');
  }

  private particular(path: string, text: ByteString): ByteString {
    if (/^\/proc\/\d+\/cmdline$/.test(path)) return this.commandLine(text);
    if (/^\/proc\/\d+\/maps$/.test(path)) return eachLine(text, (line) => this.mapsLine(line));
    if (/^\/proc\/\d+\/fdinfo\//.test(path)) return eachLine(text, (line) => line.replace(/^(\s*\d+: )(?!0x|<)(.+)$/, (_, head: string, name: string) => head + this.substitute('n', name)));
    if (/^\/proc\/\w+\/mountinfo$/.test(path)) return eachLine(text, (line) => this.fields(line, /^(?:\d+|\d+:\d+)$/));
    if (path === '/proc/mounts' || path === '/proc/swaps') return eachLine(text, (line) => this.fields(line, /^\d+$/));
    if (path === '/var/lib/nfs/etab' || path === '/proc/fs/nfsd/exports') return eachLine(text, (line) => this.exportLine(line));
    if (path.startsWith('/sys/') && SERIAL_FILE.test(path)) return text.replace(/^(0x)?(\S.*)$/m, (_, hex: string | undefined, serial: string) => (hex ?? '') + this.serial(hex ? 'hex' : 'serial', serial));
    if (path === '/dev/kmsg') return [...this.serials].reduce((log, [serial, substitute]) => log.replaceAll(serial, substitute), text);
    return path.endsWith('/loop/backing_file') ? eachLine(text, (line) => this.name(line)) : text;
  }

  /** Options keep their names; everything else that was typed is replaced. */
  private commandLine(text: ByteString): ByteString {
    return text.split('\0').map((word, i) => {
      if (word === '' || (i > 0 && /^--?[A-Za-z][\w-]*$/.test(word))) return word;
      if (word.startsWith('/')) return this.name(word);
      const option = /^(--?[A-Za-z][\w-]*=)(.*)$/s.exec(word);
      return option ? `${option[1]}${this.substitute('a', option[2] as string)}` : i === 0 && !word.includes('/') ? word : this.substitute('a', word);
    }).join('\0');
  }

  private mapsLine(line: ByteString): ByteString {
    const m = /^([0-9a-f]+-[0-9a-f]+ \S{4} [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ \d+ +)([\s\S]+)$/.exec(line);
    return m === null ? line : `${m[1]}${this.name((m[2] as string).replaceAll('\\012', '\n')).replaceAll('\n', '\\012')}`;
  }

  /** Fields that are paths, and values of options that are; numbers and words stay. */
  private fields(line: ByteString, plain: RegExp): ByteString {
    return line.split(/([ \t]+)/).map((field) => {
      if (plain.test(field) || !field.includes('/')) return field;
      return field.split(',').map((part) => {
        const option = /^([\w.-]+=)(\/.*)$/.exec(part);
        const path = option?.[2] ?? part;
        return path.startsWith('/') ? `${option?.[1] ?? ''}${path.split(':').map((p) => escapeOctal(this.name(unescapeOctal(p)))).join(':')}` : part;
      }).join(',');
    }).join('');
  }

  private exportLine(line: ByteString): ByteString {
    if (line.startsWith('#')) return line;
    return line.replace(/^(\S+)(\s+)([^(\s]+)/, (_, path: string, gap: string, client: string) => `${escapeOctal(this.name(unescapeOctal(path)))}${gap}${client === '*' ? client : this.substitute('a', client)}`);
  }
}

function formOf(kind: string, count: number): string {
  const hex = count.toString(16);
  if (kind === 'uuid') return `00000000-0000-4000-8000-${hex.padStart(12, '0')}`;
  if (kind === 'mac') return `02:00:00:${hex.padStart(6, '0').replace(/(..)(?=.)/g, '$1:')}`;
  return kind === 'hex' ? hex : `${kind}${count}`;
}

function eachLine(text: ByteString, change: (line: ByteString) => ByteString): ByteString {
  return text.split('\n').map(change).join('\n');
}

/** Vital product data with the text of its serial numbers (keyword SN, PCI 3.0 appendix I) overwritten. */
function withoutSerial(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let at = 0; at + 3 < copy.length; at += 1) {
    const length = copy[at + 2] as number;
    if (copy[at] === 0x53 && copy[at + 1] === 0x4e && length > 0 && at + 3 + length <= copy.length) copy.fill(0x30, at + 3, at + 3 + length);
  }
  return copy;
}
