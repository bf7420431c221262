/** /proc/meminfo and nodeN/meminfo. Source: fs/proc/meminfo.c, drivers/base/node.c node_read_meminfo(). */

/**
 * Values in bytes by field name (`MemFree`). Node files prefix each line with `Node N`; counts without `kB`
 * (`HugePages_Free`) are kept as they are. Lines of another form are skipped.
 */
export function parseMeminfo(text: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const m = /^(?:Node \d+ )?\s*([A-Za-z0-9_()]+):\s+(\d+)( kB)?\s*$/.exec(line);
    if (!m) continue;
    const value = Number(m[2]) * (m[3] ? 1024 : 1);
    if (Number.isSafeInteger(value)) values.set(m[1]!, value);
  }
  return values;
}
