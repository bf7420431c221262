/**
 * Which kernel on which machine a capture was taken from: from the manifest, else from `uname -a`, else from what the
 * captured files say by themselves. What none of them says stays unknown.
 */
import { isMissing, missing, type Fact } from '../fact.ts';
import type { Files, Identity } from '../host.ts';
import type { Manifest } from './manifest.ts';

const unknown = (path: string): Fact<never> => missing('not-captured', path);

/** `uname` is the text of `uname -a`, where the capture has it. */
export function identityOf(files: Files, manifest: Manifest | null, uname: string | undefined): Identity {
  const text = (path: string): string => {
    const value = files.text(path);
    return isMissing(value) ? '' : value;
  };
  const version = /^Linux version (\S+) .*?(#\d.*)$/.exec(text('/proc/version').split('\n')[0] ?? '');
  const named = /^Linux \S+ (\S+) (#.*) (\S+)(?: (?:unknown|\S+))*? GNU\/Linux$/.exec((uname ?? '').trim());
  const release = manifest?.release ?? named?.[1] ?? version?.[1] ?? firstLine(text('/proc/sys/kernel/osrelease'));
  const arch = manifest?.arch ?? archOfUname(uname) ?? firstLine(text('/proc/sys/kernel/arch')) ?? guessArch(release, text);
  const pageSize = manifest?.pageSize ?? pageSizeOf(files, arch);
  return {
    release: release ?? unknown('/proc/sys/kernel/osrelease'),
    version: manifest?.kernelVersion ?? version?.[2] ?? unknown('/proc/version'),
    arch: arch ?? unknown('/proc/sys/kernel/arch'),
    pageSize: pageSize ?? unknown('AT_PAGESZ'),
    uid: manifest?.uid ?? unknown('/proc/self/status'),
    capabilities: manifest?.capabilities ?? unknown('/proc/self/status'),
  };
}

const firstLine = (text: string): string | undefined => (text === '' ? undefined : text.split('\n')[0]);

const ARCHES = /\b(x86_64|aarch64|ppc64le|ppc64|s390x|riscv64|loongarch64|i[3-6]86|armv\d\w*)\b/;

/** Machine names come last in `uname -a`, after host name and version, which may hold anything. */
const archOfUname = (uname: string | undefined): string | undefined => ARCHES.exec((uname ?? '').split(' ').slice(3).join(' '))?.[1];

/** Debian's flavours and other distributions' suffixes name the architecture in the release. */
const FLAVOURS: Record<string, string> = { amd64: 'x86_64', arm64: 'aarch64' };

function guessArch(release: string | undefined, text: (path: string) => string): string | undefined {
  const flavour = /[-.+](amd64|arm64)$/.exec(release ?? '')?.[1];
  if (flavour !== undefined) return FLAVOURS[flavour];
  const suffix = /\.(x86_64|aarch64|ppc64le|s390x|riscv64)(?:\+|$)/.exec(release ?? '')?.[1];
  if (suffix !== undefined) return suffix;
  const compiler = /\((x86_64|aarch64|powerpc64le|s390x|riscv64)-[\w-]*gcc/.exec(text('/proc/version'))?.[1];
  if (compiler !== undefined) return compiler === 'powerpc64le' ? 'ppc64le' : compiler;
  // Only a 64-bit kernel has this vmalloc area; a 32-bit one on such a CPU has megabytes (mm/vmalloc.c, fs/proc/meminfo.c).
  const x86 = /^flags\s*:.*\blm\b/m.test(text('/proc/cpuinfo')) && /^VmallocTotal:\s*(34359738367|13743895347199) kB$/m.test(text('/proc/meminfo'));
  return x86 ? 'x86_64' : undefined;
}

/** Some architectures have one page size only; on others smaps tells, where a holder's was captured. */
function pageSizeOf(files: Files, arch: string | undefined): number | undefined {
  if (arch === 'x86_64' || arch === 's390x') return 4096;
  const pids = files.list('/proc');
  for (const pid of isMissing(pids) ? [] : pids.filter((name) => /^\d+$/.test(name))) {
    const smaps = files.text(`/proc/${pid}/smaps`);
    const size = isMissing(smaps) ? null : /\[stack\]\n(?:.*\n)*?KernelPageSize:\s+(\d+) kB/.exec(smaps)?.[1];
    if (size != null) return Number(size) * 1024;
  }
  return undefined;
}
