/** Which Debian mirror this system uses, and the suites that kernels are looked for in. */
import { UnseatError } from '../../errors/unseat-error.ts';
import { mustRun } from '../program.ts';

export interface Mirror {
  /** Base address of the archive, with a slash at the end. */
  readonly main: string;
  /** Of the security archive; null where the system has none configured. */
  readonly security: string | null;
}

const FORMAT = '$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(CODENAME)';

/** The lines of `apt-get indextargets` in the format above. Debian's archive is known by its Origin, or by its path where no list was fetched yet. */
export function mirrorFrom(lines: string): Mirror | null {
  const rows = lines.split('\n').map((line) => line.split('|')).map(([uri = '', origin = '', label = '']) => ({ uri, origin, label }));
  const debian = rows.filter((r) => r.origin === 'Debian' || (!/^\w/.test(r.origin) && /\/debian(-security)?\/?$/.test(r.uri)));
  const isSecurity = (r: { uri: string; label: string }): boolean => r.label === 'Debian-Security' || /debian-security\/?$/.test(r.uri);
  const main = debian.find((r) => !isSecurity(r))?.uri;
  return main === undefined ? null : { main, security: debian.find(isSecurity)?.uri ?? null };
}

/** UNSEAT_DEBIAN_MIRROR overrides (for systems that are not Debian); its security archive is a sibling. */
export async function configuredMirror(env: Readonly<Record<string, string | undefined>> = process.env): Promise<Mirror> {
  const given = env['UNSEAT_DEBIAN_MIRROR'];
  if (given !== undefined && given !== '') {
    const main = given.endsWith('/') ? given : `${given}/`;
    return { main, security: /\/debian\/$/.test(main) ? main.replace(/\/debian\/$/, '/debian-security/') : null };
  }
  const mirror = mirrorFrom(await mustRun('apt-get', ['indextargets', '--format', FORMAT, 'Created-By: Packages']));
  if (mirror) return mirror;
  throw new UnseatError('LAB', "this system's apt has no Debian archive configured", {
    next: 'Set UNSEAT_DEBIAN_MIRROR to the address of a Debian mirror, or give kernels with --kernel PATH --modules DIR.',
  });
}

export const SUITES = ['bullseye', 'bookworm', 'bookworm-backports', 'trixie', 'trixie-updates', 'trixie-backports', 'forky', 'sid'] as const;
export const SECURITY_SUITES = ['bullseye-security', 'bookworm-security', 'trixie-security'] as const;

/** The text of a sources.list for every suite. */
export function sourcesList(mirror: Mirror, keyring: string | null): string {
  const options = keyring === null ? '' : `[signed-by=${keyring}] `;
  const line = (base: string, suite: string): string => `deb ${options}${base} ${suite} main`;
  const lines = SUITES.map((suite) => line(mirror.main, suite));
  if (mirror.security !== null) for (const suite of SECURITY_SUITES) lines.push(line(mirror.security, suite));
  return `${lines.join('\n')}\n`;
}
