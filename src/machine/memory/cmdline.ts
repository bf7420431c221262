/** The kernel command line as parameters. Source: lib/cmdline.c, next_arg(): quotes hold blanks together, `-` and `_` are the same in names. */
export interface BootParameter {
  readonly name: string;
  /** Null for a parameter without `=`. */
  readonly value: string | null;
}

export function parseCmdline(text: string): BootParameter[] {
  const words = text.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  return words.map((word) => {
    const bare = word.replace(/"/g, '');
    const at = bare.indexOf('=');
    return at < 0 ? { name: bare, value: null } : { name: bare.slice(0, at), value: bare.slice(at + 1) };
  });
}

/** The last value given for a parameter, as the kernel takes it; undefined where it is not given. */
export function bootParameter(parameters: readonly BootParameter[], name: string): string | null | undefined {
  const same = (a: string): string => a.replaceAll('-', '_');
  return parameters.findLast((p) => same(p.name) === same(name))?.value;
}
