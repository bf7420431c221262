/** Order of Debian package versions, as deb-version(7) has it. */

/** Negative, zero or positive as `a` is older, the same or newer. */
export function compareVersions(a: string, b: string): number {
  const [epochA, restA] = split(a);
  const [epochB, restB] = split(b);
  return epochA - epochB || compareParts(restA.upstream, restB.upstream) || compareParts(restA.revision, restB.revision);
}

function split(version: string): [number, { upstream: string; revision: string }] {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return [colon > 0 ? Number(version.slice(0, colon)) : 0, dash < 0 ? { upstream: rest, revision: '' } : { upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) }];
}

/** `~` before the end of the text, letters before everything else. */
function weight(char: string | undefined): number {
  if (char === undefined || /\d/.test(char)) return 0;
  if (char === '~') return -1;
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
}

function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !/\d/.test(a[i] ?? '')) || (j < b.length && !/\d/.test(b[j] ?? ''))) {
      const order = weight(a[i]) - weight(b[j]);
      if (order !== 0) return order;
      i += 1;
      j += 1;
    }
    const digitsA = /^\d*/.exec(a.slice(i))?.[0] ?? '';
    const digitsB = /^\d*/.exec(b.slice(j))?.[0] ?? '';
    const order = Number(digitsA || 0) - Number(digitsB || 0);
    if (order !== 0) return order;
    i += digitsA.length;
    j += digitsB.length;
  }
  return 0;
}
