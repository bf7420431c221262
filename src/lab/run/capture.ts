/** Captures a guest in the state that a scenario begins with. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { LabKernel } from '../kernels.ts';
import { prepare, RunningGuest } from './boot.ts';

const DEADLINE_MS = 400_000;

/** Returns the size of the written archive in bytes. */
export async function captureGuest(kernel: LabKernel, scenario: Scenario, file: string, say: (line: string) => void): Promise<number> {
  const prepared = await prepare(kernel, scenario);
  const parts: Buffer[] = [];
  let outcome: 'running' | 'whole' | string = 'running';
  const guest: RunningGuest = await RunningGuest.start(prepared, scenario, (message) => {
    if (message.type === 'hello') guest.send({ type: 'run', scenario, upTo: 'capture', plan: false });
    else if (message.type === 'ready') say('the guest is ready');
    else if (message.type === 'setup-failed') outcome = message.reason;
    else if (message.type === 'file') {
      parts.push(Buffer.from(message.base64, 'base64'));
      if (message.last) outcome = 'whole';
    }
  });
  void guest.ended.then((stderr) => { if (outcome === 'running') outcome = `QEMU ended: ${stderr.trim()}`; });
  const until = performance.now() + DEADLINE_MS;
  while (outcome === 'running' && performance.now() < until) await sleep(100);
  await guest.stop();
  if (outcome !== 'whole') throw new UnseatError('LAB', 'the guest gave no capture', { subject: scenario.scenario, cause: outcome === 'running' ? 'it did not end in its time' : outcome });
  const bytes = Buffer.concat(parts);
  writeFileSync(file, bytes);
  return bytes.length;
}
