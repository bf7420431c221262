/** `lab fetch`: kernels by name, into the cache. What is gone from the mirror is "not available", never an error of the lab. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UnseatError } from '../../errors/unseat-error.ts';
import { fetchedKernel, kernelFolder, META } from '../kernels.ts';
import { mustRun } from '../program.ts';
import { IMAGE_PATTERN, imagesOf, packageRef, partsOf, type KernelChoice, type PackageRef } from './choose.ts';
import { readLock, writeLock } from './lock.ts';
import { PrivateApt } from './private-apt.ts';
import { compareVersions } from './version.ts';
import type { Stanza } from './stanzas.ts';

export interface Fetched {
  readonly name: string;
  readonly outcome: 'fetched' | 'already there' | 'not available';
  readonly release?: string;
  readonly version?: string;
  /** A newer version of the same series that the mirror has. */
  readonly newer?: string;
  readonly reason?: string;
}

export interface FetchOptions {
  /** Take the newest of the series and write it to the lock file, instead of the locked version. */
  readonly latest: boolean;
  readonly say: (line: string) => void;
}

/** @param names `debian:6.12`, `debian:6.12.107`; `debian:6.12=6.12.107-1` puts that version under that name into the lock file */
export async function fetchKernels(names: readonly string[], options: FetchOptions): Promise<Fetched[]> {
  const apt = await PrivateApt.open(options.latest);
  for (const line of apt.missingSuites) options.say(`the mirror lacks a suite: ${line}`);
  const images = await apt.show(await apt.names(IMAGE_PATTERN));
  const results: Fetched[] = [];
  for (const name of names) {
    const [plain = '', version] = name.split('=');
    results.push(await fetchOne(apt, images, plain, version, options));
  }
  return results;
}

async function fetchOne(apt: PrivateApt, images: readonly Stanza[], name: string, version: string | undefined, options: FetchOptions): Promise<Fetched> {
  const wanted = /^debian:(\d+\.\d+(?:\.\d+)?)$/.exec(name)?.[1];
  if (wanted === undefined) throw new UnseatError('USAGE', 'a kernel is named debian:SERIES, as debian:6.12', { subject: name, next: 'Other builds are given with --kernel PATH.' });
  const lock = readLock();
  const known = imagesOf(images, wanted);
  const newest = known[0];
  const locked = options.latest || version !== undefined ? undefined : lock[name];
  const image = version !== undefined ? known.find((s) => s['Version'] === version) : locked ? known.find((s) => s['Version'] === locked.version && s['Package'] === `linux-image-${locked.release}`) : newest;
  const newer = locked && newest && compareVersions(newest['Version'] ?? '', locked.version) > 0 ? { newer: newest['Version'] ?? '' } : {};
  if (!image) return { name, outcome: 'not available', reason: locked || version !== undefined ? `${version ?? locked?.version} is not on the mirror` : 'the mirror has no such kernel', ...newer };
  const whole = await choiceOf(apt, image);
  if (whole.lacks.length > 0) return { name, outcome: 'not available', reason: `the mirror lacks ${whole.lacks.join(', ')}, which ${image['Package'] ?? ''} consists of`, ...newer };
  const { choice } = whole;
  if (locked) checkLocked(name, locked, choice);
  const said = { name, release: choice.release, version: choice.version, ...newer };
  if (isThere(name, choice)) return { ...said, outcome: 'already there' };
  options.say(`fetching ${name}: ${choice.release} (${choice.version})`);
  await unpackInto(apt, choice.packages, kernelFolder(name));
  writeFileSync(join(kernelFolder(name), META), `${JSON.stringify({ name, release: choice.release, version: choice.version })}\n`);
  if (!fetchedKernel(name)) throw new UnseatError('LAB', 'the packages hold no kernel image', { subject: choice.packages.map((p) => p.name).join(', ') });
  if (!locked) writeLock({ ...lock, [name]: choice });
  return { ...said, outcome: 'fetched' };
}

async function choiceOf(apt: PrivateApt, image: Stanza): Promise<{ choice: KernelChoice; lacks: string[] }> {
  const parts = partsOf(image);
  const known = await apt.show(parts.map((p) => p.name));
  const find = (part: { name: string; version: string }): Stanza | undefined => known.find((s) => s['Package'] === part.name && s['Version'] === part.version);
  const packages = [packageRef(image), ...parts.map(find).filter((s) => s !== undefined).map(packageRef)];
  // linux-base-* of some releases is a virtual name that the image itself provides, and nothing in it is needed here.
  const lacks = parts.filter((part) => !find(part) && !part.name.startsWith('linux-base-')).map((part) => part.name);
  return { choice: { release: (image['Package'] ?? '').replace(/^linux-image-/, ''), version: image['Version'] ?? '', packages }, lacks };
}

function checkLocked(name: string, locked: KernelChoice, found: KernelChoice): void {
  for (const wanted of locked.packages) {
    const now = found.packages.find((p) => p.name === wanted.name);
    if (now?.sha256 === wanted.sha256) continue;
    throw new UnseatError('LAB', 'the mirror has other content under the locked version', { subject: `${name}: ${wanted.name}`, seen: now?.sha256 ?? 'no such package', cause: `locked ${wanted.sha256}` });
  }
}

function isThere(name: string, choice: KernelChoice): boolean {
  const meta = join(kernelFolder(name), META);
  return existsSync(meta) && (JSON.parse(readFileSync(meta, 'utf8')) as { version?: string }).version === choice.version;
}

/** Downloads, checks the hash once more (apt did against the signed list), and unpacks all into one directory. */
export async function unpackInto(apt: PrivateApt, packages: readonly PackageRef[], folder: string): Promise<void> {
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const files = await apt.download(packages);
  for (const [i, one] of packages.entries()) {
    const file = files[i] ?? '';
    const hash = await sha256Of(file);
    if (hash !== one.sha256) throw new UnseatError('LAB', 'a downloaded package is not what the signed list says', { subject: file, seen: hash, cause: `expected ${one.sha256}` });
    await mustRun('dpkg-deb', ['-x', file, fresh], { deadlineMs: 300_000 });
    rmSync(file);
  }
  if (files[0] !== undefined) rmSync(dirname(files[0]), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

function sha256Of(file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    createReadStream(file).on('data', (chunk) => hash.update(chunk)).on('error', reject).on('end', () => resolve(hash.digest('hex')));
  });
}
