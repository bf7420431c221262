/**
 * Threads with descriptors or directories of their own: unshare(2) with CLONE_FILES or CLONE_FS, or clone(2) without
 * them. kcmp(2) tells at the price of two calls a thread; comparing what the tables hold would take a readdir for each, and
 * would not tell one table from a copy of it.
 */
import { readdirSync, statSync } from 'node:fs';
import { isMissing, missing, type Fact } from '../fact.ts';
import type { ThreadsApart } from '../processes.ts';
import { absence, quietly } from './absence.ts';
import { descriptors, mayBeOn } from './descriptors.ts';
import { native } from './native.ts';

/** include/uapi/linux/kcmp.h */
const KCMP_FILES = 2;
const KCMP_FS = 3;

const DIRECTORIES = ['cwd', 'root'] as const;
const LENIENT = { throwIfNoEntry: false } as const;

type Apart = { -readonly [K in keyof ThreadsApart]: ThreadsApart[K] } & { readonly threads: number[] };

/** Compared with thread `tid` of the process. A thread that ends meanwhile is left out. */
export function threadsApart(tid: number): Fact<readonly ThreadsApart[]> {
  const path = `/proc/${tid}/task`;
  const others = quietly<Fact<readonly number[]>>(() => readdirSync(path).map(Number).filter((other) => other !== tid).sort((a, b) => a - b), (error) => absence(error, path));
  if (isMissing(others)) return others;
  if (others.length === 0) return [];
  const { kcmp, errno } = native();
  const apart: Apart[] = [];
  for (const other of others) {
    const files = kcmp(tid, other, KCMP_FILES);
    const places = kcmp(tid, other, KCMP_FS);
    if (files === 0 && places === 0) continue;
    if (files < 0 || places < 0) {
      const why = errno();
      if (why === 'ESRCH') continue;
      return missing(why === 'EPERM' ? 'denied' : 'unreadable', path, why);
    }
    add(apart, other, files !== 0, places !== 0, kcmp);
  }
  return apart;
}

/** Threads that share both go together; what is shared with an earlier one is told there alone. */
function add(apart: Apart[], tid: number, ownFiles: boolean, ownPlaces: boolean, kcmp: (a: number, b: number, type: number) => number): void {
  const same = (one: Apart, type: number): boolean => kcmp(one.threads[0] ?? 0, tid, type) === 0;
  const twin = apart.find((one) => same(one, KCMP_FILES) && same(one, KCMP_FS));
  if (twin !== undefined) {
    twin.threads.push(tid);
    return;
  }
  apart.push({
    threads: [tid],
    files: ownFiles && !apart.some((one) => one.files && same(one, KCMP_FILES)),
    places: ownPlaces && !apart.some((one) => one.places && same(one, KCMP_FS)),
  });
}

/** Whether such a thread has something of the devices (st_dev numbers), or may have: for a sweep, so no link is read. */
export function anyApartOn(tid: number, devices: ReadonlySet<number>): boolean {
  const apart = threadsApart(tid);
  if (isMissing(apart)) return apart.missing !== 'vanished' && apart.missing !== 'absent';
  return apart.some(({ threads: [first = 0], files, places }) => quietly(
    () => (files && descriptors(first).some((file) => mayBeOn(file, devices))) || (places && DIRECTORIES.some((name) => devices.has(statSync(`/proc/${first}/${name}`, LENIENT)?.dev ?? -1))),
    () => false,
  ));
}
