/** Small durable files. What was appended before a crash is read after it, or the last line is cut and nothing else. */
import { constants } from 'node:fs';
import type * as Promises from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Store } from '../actions.ts';
import type { Fact } from '../fact.ts';
import type { Files } from '../host.ts';

/** Loaded where something is stored: a look at the machine starts without it. */
const promises = (): typeof Promises => process.getBuiltinModule('node:fs/promises');

/** Journals and records name processes and their command lines: for root alone. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export class LiveStore implements Store {
  private readonly files: Files;

  constructor(files: Files) {
    this.files = files;
  }

  async append(path: string, text: string): Promise<void> {
    await makeDirectory(dirname(path));
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const flags = O_WRONLY | O_APPEND | O_NOFOLLOW;
    let fresh = false;
    const file = await promises().open(path, flags).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      fresh = true;
      return promises().open(path, flags | O_CREAT | O_EXCL, FILE_MODE);
    });
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    if (fresh) await syncDirectory(dirname(path));
  }

  async create(path: string, text: string): Promise<void> {
    const temporary = await written(path, text);
    try {
      await promises().link(temporary, path);
    } finally {
      await promises().unlink(temporary);
    }
    await syncDirectory(dirname(path));
  }

  async replace(path: string, text: string): Promise<void> {
    await promises().rename(await written(path, text), path);
    await syncDirectory(dirname(path));
  }

  read(path: string): Fact<string> {
    const content = this.files.read(path);
    return content instanceof Uint8Array ? new TextDecoder().decode(content) : content;
  }

  list(directory: string): Fact<readonly string[]> {
    return this.files.list(directory);
  }

  async remove(path: string): Promise<void> {
    await promises().unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await syncDirectory(dirname(path));
  }
}

/** Files made so far: two at once are not the same. */
let made = 0;

/** The text in a file beside the one that it is for; nothing is left of it where it could not be written. */
async function written(path: string, text: string): Promise<string> {
  await makeDirectory(dirname(path));
  const temporary = `${path}.${process.pid}.${made += 1}.new`;
  const file = await promises().open(temporary, 'w', FILE_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
    return temporary;
  } catch (error) {
    await promises().unlink(temporary);
    throw error;
  } finally {
    await file.close();
  }
}

/** A new directory is durable only when its parent is synced. */
async function makeDirectory(path: string): Promise<void> {
  const first = await promises().mkdir(path, { recursive: true, mode: DIRECTORY_MODE }).catch(async (error: NodeJS.ErrnoException) => {
    // The recursive call says ENOENT for a read-only file system too.
    if (error.code !== 'ENOENT') throw error;
    await promises().mkdir(path, { mode: DIRECTORY_MODE });
    return path;
  });
  if (first === undefined) return;
  for (let at = path; at.length >= first.length; at = dirname(at)) await syncDirectory(dirname(at));
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await promises().open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
