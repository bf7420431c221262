/** Command lines that need no reader of options: `scan` of this machine. By itself: the process entry asks for it at each start. */
const FLAGS: Readonly<Record<string, readonly [option: string, value: boolean]>> = { '--json': ['json', true], '--no-holders': ['holders', false], '--pages': ['pages', true] };

/** The options as commander would hand them to `scan`; null for every other command line. */
export function quickOptions(argv: readonly string[]): Record<string, boolean> | null {
  if (argv[0] !== 'scan') return null;
  const options: Record<string, boolean> = { holders: true };
  for (const flag of argv.slice(1)) {
    const [option, value] = Object.hasOwn(FLAGS, flag) ? (FLAGS[flag] ?? []) : [];
    if (option === undefined || value === undefined) return null;
    options[option] = value;
  }
  return options;
}
