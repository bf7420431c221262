/** The kernels that the lab has: fetched from Debian and kept in the cache, or any other build given by path. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { UnseatError } from '../errors/unseat-error.ts';
import { parseRelease, type KernelRelease } from '../scenario/kernel-range.ts';
import { cacheRoot } from './cache.ts';

export interface LabKernel {
  /** As the user names it: `debian:6.12`, or the path of an image. */
  readonly name: string;
  /** What `uname -r` says in it, as far as it is known before it was booted. */
  readonly release: string;
  /** Version of the package; `local` for other builds. */
  readonly version: string;
  readonly series: KernelRelease;
  readonly vmlinuz: string;
  /** The directory that holds `kernel/` and `modules.builtin`; null where everything is built in. */
  readonly modules: string | null;
}

const metaSchema = z.object({ name: z.string(), release: z.string(), version: z.string() });
export const META = 'unseat-kernel.json';

export const kernelFolder = (name: string): string => join(cacheRoot(), 'kernels', name.replace(/[^A-Za-z0-9.+-]/g, '_'));

/** A fetched kernel by name; null where it was not fetched. */
export function fetchedKernel(name: string): LabKernel | null {
  const folder = kernelFolder(name);
  const meta = join(folder, META);
  if (!existsSync(meta)) return null;
  const { release, version } = metaSchema.parse(JSON.parse(readFileSync(meta, 'utf8')));
  const series = parseRelease(release);
  const vmlinuz = firstFile([join(folder, `boot/vmlinuz-${release}`), join(folder, `usr/lib/modules/${release}/vmlinuz`)]);
  const modules = firstFile([join(folder, `usr/lib/modules/${release}`), join(folder, `lib/modules/${release}`)]);
  if (!series || vmlinuz === null) return null;
  return { name, release, version, series, vmlinuz, modules };
}

/** Every fetched kernel, oldest first. */
export function fetchedKernels(): LabKernel[] {
  const root = join(cacheRoot(), 'kernels');
  const folders = existsSync(root) ? readdirSync(root).filter((name) => existsSync(join(root, name, META))) : [];
  const kernels = folders.flatMap((folder) => {
    const { name } = metaSchema.parse(JSON.parse(readFileSync(join(root, folder, META), 'utf8')));
    return fetchedKernel(name) ?? [];
  });
  return kernels.sort((a, b) => a.series.major - b.series.major || a.series.minor - b.series.minor);
}

/**
 * A kernel image of any build. Without `modules`, `lib/modules/RELEASE` beside it or below the root is looked for.
 * @param release where the name of the file does not tell it
 */
export function localKernel(path: string, modules?: string, release?: string): LabKernel {
  const image = resolve(path);
  if (!existsSync(image)) throw new UnseatError('NOT_FOUND', 'there is no such kernel image', { subject: image });
  const said = release ?? releaseInImage(readFileSync(image)) ?? /vmlinuz-(.+)$/.exec(basename(image))?.[1] ?? '';
  const series = parseRelease(said);
  if (!series) throw new UnseatError('BAD_INPUT', 'the release of the kernel cannot be read from the image', { subject: image, next: 'Give it with --release.' });
  const folder = modules === undefined ? firstFile([`/lib/modules/${said}`, `/usr/lib/modules/${said}`]) : resolve(modules);
  if (folder !== null && !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new UnseatError('NOT_FOUND', 'there is no such directory of modules', { subject: folder });
  return { name: image, release: said, version: 'local', series, vmlinuz: image, modules: folder };
}

/** The version text of a bzImage: a pointer at 0x20e of the setup header (Documentation/arch/x86/boot.rst, kernel_version). */
export function releaseInImage(image: Uint8Array): string | null {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  if (bytes.length < 0x210 || bytes.toString('latin1', 0x202, 0x206) !== 'HdrS') return null;
  const at = bytes.readUInt16LE(0x20e) + 0x200;
  return /^[\w.+~-]+/.exec(bytes.toString('latin1', at, at + 200))?.[0] ?? null;
}

const firstFile = (paths: readonly string[]): string | null => paths.find((path) => existsSync(path)) ?? null;
