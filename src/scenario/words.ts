/** The small words of scenario files: sizes, names, paths, kernels. */
import { z } from 'zod';
import { parseSize } from '../range/units.ts';
import { isKernelRange } from './kernel-range.ts';

const SIZE = /^(0x[0-9a-fA-F]+|\d+(\.\d+)?\s*([kKmMgGtTpP]([iI]?[bB])?)?)$/;

/** Bytes: a number, or `512M`, `4K`, `0x46000000` with units of 1024. Read as a number of bytes. */
export const size = z.union([z.number().int().min(0), z.string().regex(SIZE, 'expected a size such as 4K, 512M or 0x46000000')])
  .transform((value, context): number => {
    const bytes = typeof value === 'number' ? value : parseSize(value);
    if (bytes !== null) return bytes;
    context.addIssue({ code: 'custom', message: 'expected a size below 2^53 bytes' });
    return z.NEVER;
  })
  .meta({ title: 'size', description: 'Bytes, or with a unit of 1024: 4K, 512M, 1G, 0x46000000.' });

/** A size that is a multiple of 4 KiB, the base page of the machines that scenarios describe. */
export const pages = size.refine((bytes) => bytes % 4096 === 0, 'expected a multiple of 4K');

export const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected a name of small letters, digits and dashes')
  .meta({ title: 'name', description: 'A name that this file gives to a device, process, map or pin.' });

export const path = z.string().regex(/^\/[^\0]*$/, 'expected an absolute path')
  .meta({ title: 'path', description: 'An absolute path inside the machine.' });

export const kernels = z.string().refine(isKernelRange, 'expected all, a release (6.12), a comparison (>=6.1), a span (6.1-6.12) or a list of those with commas')
  .meta({ title: 'kernels', description: 'all, 6.12, >=6.1, 6.1-6.12, or several with commas.' });

export const node = z.number().int().min(0).max(63);
