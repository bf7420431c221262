/** Reads the command line, loads the one command that was asked for, and turns its errors into an exit status. */
import { Command, CommanderError } from 'commander';
import { EXIT } from '../errors/codes.ts';
import { UnseatError } from '../errors/unseat-error.ts';
import { COMMANDS } from './commands/index.ts';
import { outcomeOf } from './outcome.ts';
import { Output } from './print/output.ts';
import { VERSION } from './version.ts';

const HELP_END = `
Exit status: 0 done, 1 failed, 2 wrong command line, 3 refused (nothing was touched), 4 a forbidden outcome or
leftover was found, 64 partly done, 77 skipped. Every command takes --json; 'unseat COMMAND --help' teaches each one.`;

export async function run(argv: readonly string[]): Promise<number> {
  const out = Output.forProcess(argv.includes('--json'));
  return outcomeOf(out, () => dispatch(argv, out), (error) => (error instanceof CommanderError ? commandLine(error, out) : null));
}

/** Help and version come as errors too. What was wrong with the command line stands on stderr already. */
function commandLine(error: CommanderError, out: Output): number {
  if (error.exitCode === 0) return EXIT.ok;
  if (out.options.json) out.json({ error: new UnseatError('USAGE', error.message.replace(/^error: /, '')) });
  return EXIT.usage;
}

async function dispatch(argv: readonly string[], out: Output): Promise<number> {
  let status: number = EXIT.ok;
  const program = new Command('unseat');
  program
    .description('Take memory out of a running Linux machine, and leave nothing behind.')
    .version(`unseat ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', HELP_END)
    .showHelpAfterError("(see 'unseat --help')")
    .exitOverride();
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary).description(entry.summary).showHelpAfterError(`(see 'unseat ${entry.name} --help')`).exitOverride();
    command.configureHelp({ helpWidth: out.options.width });
    if (!argv.includes(entry.name)) continue;
    const module = await entry.load();
    module.define(command);
    command.action(async (...received: unknown[]) => {
      const options = command.optsWithGlobals<Record<string, unknown>>();
      const args = received.slice(0, -2).flat().filter((value): value is string => typeof value === 'string');
      status = await module.run(args, options, out);
    });
  }
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT.usage;
  }
  await program.parseAsync([...argv], { from: 'user' });
  return status;
}
