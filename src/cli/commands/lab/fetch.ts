/** `lab fetch debian:6.12 ... tools`. */
import { fetchKernels } from '../../../lab/apt/fetch.ts';
import { fetchTools } from '../../../lab/apt/tools.ts';
import type { Output } from '../../print/output.ts';
import type { LabOptions } from '../lab.ts';
import { STANDARD } from './kernels.ts';

export async function run(names: readonly string[], options: LabOptions, out: Output): Promise<number> {
  const wanted = names.length > 0 ? names : [...STANDARD];
  const fetching = { latest: options.latest === true, say: (line: string) => out.note(line) };
  const kernels = await fetchKernels(wanted.filter((name) => name !== 'tools'), fetching);
  const tools = wanted.includes('tools') ? await fetchTools(fetching) : null;
  const gone = kernels.filter((k) => k.outcome === 'not available');
  if (out.options.json) out.json({ kernels, tools, notAvailable: gone.length });
  else {
    for (const k of kernels) out.text(`${k.name}: ${k.outcome}${k.release === undefined ? '' : ` ${k.release} (${k.version})`}${k.reason === undefined ? '' : `: ${k.reason}`}${k.newer === undefined ? '' : `; the mirror has ${k.newer} (--latest takes it)`}`);
    if (tools) out.text(`tools: ${tools.outcome}, ${tools.packages} packages, QEMU ${tools.qemu}`);
    if (gone.length > 0) out.text(`${gone.length} of ${kernels.length} not available`);
  }
  return gone.length === kernels.length && kernels.length > 0 && !tools ? 1 : 0;
}
