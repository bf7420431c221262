/** A prompt in a guest with a scenario's machine. Nothing of the scenario is set up or run. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Scenario } from '../../scenario/scenario.ts';
import type { LabKernel } from '../kernels.ts';
import { prepare } from './boot.ts';

/** Returns QEMU's exit status. */
export async function shellIn(kernel: LabKernel, scenario: Scenario): Promise<number> {
  const prepared = await prepare(kernel, scenario, { shell: true });
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(prepared.program, [...prepared.args], { stdio: 'inherit' });
      child.on('error', reject);
      child.on('close', (status) => resolve(status ?? 1));
    });
  } finally {
    rmSync(prepared.paths.folder, { recursive: true, force: true });
  }
}
