/** Small reads of sysfs and proc, and programs that must succeed during the setup. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

/** Base name of what a link points at; null where there is none. */
export function linkName(path: string): string | null {
  try {
    return basename(realpathSync(path));
  } catch {
    return null;
  }
}

export function run(program: string, args: readonly string[], deadlineMs = 60_000): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: deadlineMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}

/** Looks again until `find` finds something; null at the deadline. */
export async function waitFor<T>(find: () => T | null | undefined, deadlineMs = 5000): Promise<T | null> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const found = find();
    if (found !== null && found !== undefined) return found;
    if (performance.now() > until) return null;
    await sleep(50);
  }
}

export interface IomemLine {
  readonly depth: number;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly name: string;
}

export const iomem = (): IomemLine[] => (textOf('/proc/iomem') === null ? '' : readFileSync('/proc/iomem', 'utf8')).split('\n').flatMap((line): IomemLine[] => {
  const m = /^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$/.exec(line);
  return m ? [{ depth: (m[1] ?? '').length / 2, start: Number.parseInt(m[2] ?? '', 16), end: Number.parseInt(m[3] ?? '', 16) + 1, name: m[4] ?? '' }] : [];
});
