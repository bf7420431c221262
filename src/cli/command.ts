/** What a command module exports. Modules are loaded only when their command is called or its help is asked for. */
import type { Command } from 'commander';
import type { Output } from './print/output.ts';

export interface CommandModule {
  /** Adds arguments, options and help texts to the command. */
  define(command: Command): void;
  /** Does it; returns the exit status (`errors/codes.ts`, EXIT). `args` are the positional arguments in order. */
  run(args: readonly string[], options: Readonly<Record<string, unknown>>, out: Output): Promise<number>;
}

export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}
