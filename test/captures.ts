/** Captures for tests: those in the repository, and third-party ones that are read in place where they are. */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { openCapture } from '../src/host/capture/open.ts';
import type { Host } from '../src/host/host.ts';
import type { Machine } from '../src/machine/machine.ts';
import { readMachine, type ReadOptions } from '../src/machine/read.ts';
import { withHolders } from '../src/machine/with-holders.ts';

const FIXTURES = resolve(import.meta.dirname, '../fixtures/captures');
/** Test data of other projects is not copied into this repository (its licence and its size). */
const PEERS = resolve(import.meta.dirname, '../../shared/captures/peers');

export const CAPTURES: readonly string[] = readdirSync(FIXTURES).filter((name) => name.endsWith('.tar.gz')).map((name) => name.replace(/\.tar\.gz$/, '')).sort();
export const capturePath = (name: string): string => resolve(FIXTURES, `${name}.tar.gz`);
export const peerPath = (name: string): string => resolve(PEERS, name);
/** False, or why a test with this file is skipped. */
export const peerMissing = (name: string): string | false => (existsSync(peerPath(name)) ? false : `${name} is not here; it is third-party test data that is read in place`);

export interface Looked {
  readonly host: Host;
  readonly machine: Machine;
}

/** The inventory of a capture with the holders of its devices. */
export async function look(path: string, options: ReadOptions = {}): Promise<Looked> {
  const host = await openCapture(path);
  return { host, machine: withHolders(host, readMachine(host, options)) };
}

export const lookAt = (name: string, options: ReadOptions = {}): Promise<Looked> => look(capturePath(name), options);
