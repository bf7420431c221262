/**
 * Which kernels a line of a scenario speaks of: `all`, `5.10`, `>=6.1`, `6.1-6.12`, `<6.8`, and lists with commas.
 * Releases compare by major and minor number; a point release, a distribution's suffix and `-rc` do not count.
 */
export interface KernelRelease {
  readonly major: number;
  readonly minor: number;
}

/** `6.12.107+deb13-amd64` is 6.12. Null where the text does not begin with two numbers. */
export function parseRelease(text: string): KernelRelease | null {
  const m = /^v?(\d+)\.(\d+)(?![\d])/.exec(text.trim());
  return m ? { major: Number(m[1]), minor: Number(m[2]) } : null;
}

export const compareReleases = (a: KernelRelease, b: KernelRelease): number => a.major - b.major || a.minor - b.minor;

const PART = /^(?:(all)|(>=|<=|>|<)?\s*(\d+\.\d+)|(\d+\.\d+)\s*-\s*(\d+\.\d+))$/;

/** True where the text is a range of kernels. */
export const isKernelRange = (text: string): boolean => text.split(',').every((part) => PART.test(part.trim()));

/** True where `release` lies in the range. A text that is no range holds no kernel. */
export function inKernelRange(range: string, release: KernelRelease): boolean {
  return range.split(',').some((part) => inPart(part.trim(), release));
}

function inPart(part: string, release: KernelRelease): boolean {
  const m = PART.exec(part);
  if (!m) return false;
  if (m[1]) return true;
  const first = parseRelease(m[3] ?? m[4] ?? '');
  const last = parseRelease(m[5] ?? '');
  if (!first) return false;
  const order = compareReleases(release, first);
  if (last) return order >= 0 && compareReleases(release, last) <= 0;
  switch (m[2]) {
    case '>=': return order >= 0;
    case '<=': return order <= 0;
    case '>': return order > 0;
    case '<': return order < 0;
    default: return order === 0;
  }
}
