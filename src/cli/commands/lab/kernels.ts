/** The kernels that a command line names. */
import { UnseatError } from '../../../errors/unseat-error.ts';
import { fetchedKernel, localKernel, type LabKernel } from '../../../lab/kernels.ts';
import type { LabOptions } from '../lab.ts';

export const STANDARD = ['debian:5.10', 'debian:6.1', 'debian:6.12', 'debian:6.18', 'debian:7.2'] as const;

export function kernelNamed(name: string, options: LabOptions): LabKernel {
  if (!name.startsWith('debian:')) return localKernel(name, options.modules, options.release);
  const kernel = fetchedKernel(name);
  if (kernel) return kernel;
  throw new UnseatError('NOT_FOUND', 'this kernel has not been fetched', { subject: name, next: `Fetch it with: unseat lab fetch ${name}` });
}

/** The one kernel that `run`, `shell`, `capture` and `reproduce` need. */
export function oneKernel(options: LabOptions): LabKernel {
  const [name, more] = options.kernel ?? [];
  if (name === undefined || more !== undefined) throw new UnseatError('USAGE', 'give one kernel with --kernel', { next: "List those that are there with 'unseat lab doctor'." });
  return kernelNamed(name, options);
}
