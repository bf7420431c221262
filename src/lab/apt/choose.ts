/** Which packages make up a kernel, and which of several versions is meant. Pure. */
import { compareVersions } from './version.ts';
import { parseDepends, type Stanza } from './stanzas.ts';

export interface PackageRef {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Bytes of the .deb. */
  readonly bytes: number;
}

export interface KernelChoice {
  /** What `uname -r` will say: the package name without `linux-image-`. */
  readonly release: string;
  readonly version: string;
  readonly packages: readonly PackageRef[];
}

export const IMAGE_PATTERN = '^linux-image-[0-9].*-amd64$';
const FLAVOURS = /-(?:cloud|rt)-amd64$/;

export const packageRef = (s: Stanza): PackageRef => ({ name: s['Package'] ?? '', version: s['Version'] ?? '', sha256: s['SHA256'] ?? '', bytes: Number(s['Size'] ?? 0) });

/** True where the version is of the wanted series or exact release: `6.12` fits 6.12.107-1, `6.12.107` too, `6.1` does not. */
export function fitsSeries(version: string, wanted: string): boolean {
  const upstream = version.replace(/^\d+:/, '');
  return upstream === wanted || (upstream.startsWith(wanted) && /^[.~+-]/.test(upstream.slice(wanted.length)));
}

/** Kernel images of a series, newest first. Debug, cloud and real-time flavours are not meant. */
export function imagesOf(stanzas: readonly Stanza[], wanted: string): Stanza[] {
  return stanzas
    .filter((s) => /^linux-image-\d/.test(s['Package'] ?? '') && !FLAVOURS.test(s['Package'] ?? '') && fitsSeries(s['Version'] ?? '', wanted) && (s['SHA256'] ?? '') !== '')
    .filter((s) => /^linux-image-\d+\.\d+(?:\.\d+|-rc)/.test(s['Package'] ?? '') || /~rc/.test(s['Version'] ?? ''))
    .sort((a, b) => compareVersions(b['Version'] ?? '', a['Version'] ?? ''));
}

/** The parts of the kernel that the image package depends on by exact version: linux-binary-*, linux-modules-*, linux-base-*. */
export function partsOf(image: Stanza): { name: string; version: string }[] {
  return parseDepends(image['Depends'] ?? '').flatMap((d) =>
    (d.exactly !== undefined && /^linux-(?:binary|modules|base)-\d/.test(d.name) ? [{ name: d.name, version: d.exactly }] : []));
}
