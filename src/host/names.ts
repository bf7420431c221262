/**
 * Names that may hold any byte, and their readable form. A ByteString has one character for each byte (Latin-1). What
 * people see is the name itself where it is plain UTF-8, and a quoted form where it is not, so that no name can forge
 * another one, a line break or a terminal's control sequence.
 */
import type { ByteString } from './host.ts';

export const bytesOf = (name: ByteString): Uint8Array => Buffer.from(name, 'latin1');
export const byteString = (bytes: Uint8Array): ByteString => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
/** The ByteString of a text that is known as characters. */
export const toByteString = (text: string): ByteString => Buffer.from(text, 'utf8').toString('latin1');

/**
 * What must not reach a terminal as it is: C0 and C1 controls and DEL, line and paragraph separators, and characters that change the
 * order of text (Unicode's Bidi_Control) or that are not seen at all.
 */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/u;

/**
 * The readable form. Plain names (printable UTF-8) are themselves. All others are put in double quotes, with `\xNN` for
 * each byte that is no valid UTF-8 or not printable, and `\"` and `\\`. A plain name is also quoted where it would be
 * misread: when it is empty, begins with a quote, or has a blank at either end.
 */
export function displayName(name: ByteString): string {
  const parts = partsOf(name);
  const plain = parts.every((part) => part.text !== null && !UNPRINTABLE.test(part.text));
  if (plain && name !== '' && !/^[\s"]|\s$/.test(name)) return parts.map((part) => part.text).join('');
  return `"${parts.map(quotedPart).join('')}"`;
}

interface Part {
  readonly bytes: ByteString;
  /** The character, or null where the bytes are none. */
  readonly text: string | null;
}

function quotedPart(part: Part): string {
  if (part.text === '"' || part.text === '\\') return `\\${part.text}`;
  if (part.text !== null && !UNPRINTABLE.test(part.text)) return part.text;
  return [...part.bytes].map((c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
}

/** Splits into UTF-8 characters and single bytes that belong to none (RFC 3629: no overlong forms, no surrogates). */
function partsOf(name: ByteString): Part[] {
  const parts: Part[] = [];
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let at = 0; at < name.length;) {
    const length = sequenceLength(name.charCodeAt(at));
    const bytes = name.slice(at, at + length);
    const text = length === 1 && name.charCodeAt(at) < 0x80 ? bytes : decoded(utf8, bytes, length);
    const taken = text === null ? 1 : length;
    parts.push({ bytes: name.slice(at, at + taken), text });
    at += taken;
  }
  return parts;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 1;
}

function decoded(utf8: InstanceType<typeof TextDecoder>, bytes: ByteString, length: number): string | null {
  if (length === 1 || bytes.length < length) return null;
  try {
    return utf8.decode(bytesOf(bytes));
  } catch {
    return null;
  }
}

/** The ByteString that `displayName` made a text from. For arguments of commands and for tests. */
export function parseDisplayName(text: string): ByteString {
  const quoted = /^"([\s\S]*)"$/.exec(text);
  if (quoted === null) return toByteString(text);
  return (quoted[1] as string).replace(/\\x([0-9a-f]{2})|\\(["\\])|[\u0080-\u{10ffff}]/gu, (all: string, hex?: string, plain?: string) =>
    hex !== undefined ? String.fromCharCode(parseInt(hex, 16)) : plain ?? toByteString(all));
}

/**
 * Decodes the octal escapes of mountinfo, mounts and swaps: `\040` blank, `\011` tab, `\012` newline, `\134` backslash,
 * `\043` number sign (mangle_path() and show_vfsmnt(), fs/seq_file.c and fs/proc_namespace.c). Other backslashes stand for themselves.
 */
export const unescapeOctal = (field: ByteString): ByteString =>
  (field.includes('\\') ? field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))) : field);

/** The kernel's escaping of mountinfo fields, for those who write such files. */
export const escapeOctal = (field: ByteString): ByteString =>
  field.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
