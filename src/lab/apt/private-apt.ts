/**
 * The system's own apt, with its signature checks, proxies and credentials, but with a state of its own: nothing of the
 * system's package lists or installed packages is touched, and no privilege is needed.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import { cacheFolder } from '../cache.ts';
import { mustRun, runProgram } from '../program.ts';
import { configuredMirror, sourcesList } from './mirror.ts';
import { parseStanzas, type Stanza } from './stanzas.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** On the command line, because systems made for containers switch the cache off in their own configuration. */
export const OPTIONS = ['-o', 'Dir::Cache::pkgcache=pkgcache.bin', '-o', 'Dir::Cache::srcpkgcache=srcpkgcache.bin'];
const LISTS_STAY_FRESH_MS = 12 * 3600 * 1000;

export class PrivateApt {
  readonly folder: string;
  /** Suites that the mirror did not have, as apt said it. */
  readonly missingSuites: readonly string[];

  private constructor(folder: string, missingSuites: readonly string[]) {
    this.folder = folder;
    this.missingSuites = missingSuites;
  }

  /** @param update true: fetch the package lists anew; otherwise only where they are older than half a day */
  static async open(update = false): Promise<PrivateApt> {
    const folder = cacheFolder('apt');
    for (const part of ['none.d', 'state', 'lists/partial', 'cache/archives/partial', 'downloads']) mkdirSync(join(folder, part), { recursive: true });
    const sources = sourcesList(await configuredMirror(), existsSync(KEYRING) ? KEYRING : null);
    const list = join(folder, 'sources.list');
    const changed = !existsSync(list) || readFileSync(list, 'utf8') !== sources;
    writeFileSync(list, sources);
    writeFileSync(join(folder, 'status'), '');
    writeFileSync(join(folder, 'apt.conf'), configText(folder));
    const stamp = join(folder, 'updated');
    const fresh = !changed && existsSync(stamp) && Date.now() - statSync(stamp).mtimeMs < LISTS_STAY_FRESH_MS;
    let missing = fresh ? readFileSync(stamp, 'utf8').split('\n').filter((line) => line !== '') : [];
    if (update || !fresh) {
      const ran = await runProgram('apt-get', ['update'], { env: { APT_CONFIG: join(folder, 'apt.conf') }, deadlineMs: 600_000 });
      missing = ran.stderr.split('\n').filter((line) => /does not have a Release file|Failed to fetch/.test(line));
      if (ran.timedOut) throw new UnseatError('DEADLINE', 'apt-get update did not end in its time', { subject: 'apt-get update' });
      writeFileSync(stamp, missing.join('\n'));
    }
    return new PrivateApt(folder, missing);
  }

  private get env(): Record<string, string> {
    return { APT_CONFIG: join(this.folder, 'apt.conf') };
  }

  /** Names of known packages that match a regular expression. */
  async names(pattern: string): Promise<string[]> {
    const text = await mustRun('apt-cache', [...OPTIONS, 'pkgnames'], { env: this.env });
    const wanted = new RegExp(pattern);
    return text.split('\n').filter((name) => wanted.test(name)).sort();
  }

  /** Every known version of packages. Packages that do not exist are left out. */
  async show(names: readonly string[]): Promise<Stanza[]> {
    if (names.length === 0) return [];
    const ran = await runProgram('apt-cache', [...OPTIONS, 'show', '--all-versions', ...names], { env: this.env });
    return parseStanzas(ran.stdout);
  }

  /** Downloads exact versions in one go; apt checks each against the signed list. Returns the .deb of each, in order. */
  async download(packages: readonly { readonly name: string; readonly version: string }[]): Promise<string[]> {
    const folder = mkdtempSync(join(this.folder, 'downloads', 'd-'));
    await mustRun('apt-get', [...OPTIONS, 'download', ...packages.map((p) => `${p.name}=${p.version}`)], { env: this.env, cwd: folder, deadlineMs: 900_000 });
    const files = readdirSync(folder);
    return packages.map((p) => {
      // apt writes the colon of an epoch as %3a.
      const file = files.find((entry) => entry.startsWith(`${p.name}_${p.version.replaceAll(':', '%3a')}_`) && entry.endsWith('.deb'));
      if (file === undefined) throw new UnseatError('LAB', 'apt-get download left no package', { subject: `${p.name}=${p.version}` });
      return join(folder, file);
    });
  }
}

function configText(folder: string): string {
  const set = (key: string, value: string): string => `${key} "${value}";\n`;
  return [
    set('Dir::Etc::sourcelist', join(folder, 'sources.list')), set('Dir::Etc::sourceparts', '-'), set('Dir::Etc::preferences', join(folder, 'none')), set('Dir::Etc::preferencesparts', join(folder, 'none.d')),
    set('Dir::State', join(folder, 'state')), set('Dir::State::lists', join(folder, 'lists')), set('Dir::State::status', join(folder, 'status')),
    set('Dir::Cache', join(folder, 'cache')), set('Acquire::Languages', 'none'), set('APT::Sandbox::User', ''),
  ].join('');
}
