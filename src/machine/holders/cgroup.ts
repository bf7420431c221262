/**
 * Whose process it is, from /proc/PID/cgroup (kernel/cgroup/cgroup.c, proc_cgroup_show(): `ID:CONTROLLERS:PATH`): the
 * systemd unit that `systemctl stop` takes, and the container. Conventions of names: systemd's docs/CGROUP_INTERFACE and
 * the runtimes' cgroup managers (cgroupfs and systemd flavours).
 */
import type { ByteString } from '../../host/host.ts';

export interface Membership {
  /** `ssh.service`, `user@1000.service/app.slice/app-x.scope`; null outside of any unit. */
  readonly unit: string | null;
  /** `docker 1a2b3c4d5e6f`, `podman ...`, `containerd ...`, `cri-o ...`, `lxc NAME`, `kubernetes pod ...`; null outside. */
  readonly container: string | null;
}

const NOBODY: Membership = { unit: null, container: null };

let last: { readonly text: ByteString; readonly membership: Membership } = { text: '', membership: NOBODY };

/** Holders mostly stand together: the last answer is kept. */
export function parseCgroup(text: ByteString): Membership {
  if (last.text !== text) last = { text, membership: membershipIn(text) };
  return last.membership;
}

function membershipIn(text: ByteString): Membership {
  const lines = text.split('\n').map((line) => /^(\d+):([^:]*):(\/.*)$/s.exec(line)).filter((m) => m !== null);
  const unified = lines.find((m) => m[1] === '0' && m[2] === '')?.[3];
  const systemd = lines.find((m) => m[2] === 'name=systemd')?.[3];
  // On hybrid hierarchies systemd keeps units in its own one and the unified one may be just `/`.
  const paths = [systemd, unified, ...lines.map((m) => m[3])].filter((path): path is string => path !== undefined && path !== '/');
  const container = paths.map(containerOf).find((found) => found !== null) ?? null;
  const unit = paths.map(unitOf).find((found) => found !== null) ?? null;
  return unit === null && container === null ? NOBODY : { unit, container };
}

/** systemd escapes bytes of names as `\xNN`; `_` in front of a name that would clash with a kernel file is taken off. */
const isUnit = (name: string): boolean => /\.(service|scope|socket|mount|swap)$/.test(name) && name.length > '.scope'.length;

/** The innermost unit; units of a user manager are named with the manager in front. */
export function unitOf(path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '');
  const last = parts.findLastIndex(isUnit);
  if (last < 0) return null;
  const manager = parts.findIndex((part) => /^user@\d+\.service$/.test(part));
  const from = manager >= 0 && manager < last ? manager : last;
  return parts.slice(from, last + 1).map((part) => part.replace(/^_(?=[^/]*\.)/, '')).join('/');
}

const SHORT = 12;
const ID = '([0-9a-f]{32,64})';

const RUNTIMES: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^docker-${ID}\\.scope$`), 'docker'],
  [new RegExp(`^libpod-(?:payload-|conmon-)?${ID}(?:\\.scope)?$`), 'podman'],
  [new RegExp(`^cri-containerd-${ID}\\.scope$`), 'containerd'],
  [new RegExp(`^crio-(?:conmon-)?${ID}(?:\\.scope)?$`), 'cri-o'],
  [/^lxc\.payload\.(.+)$/, 'lxc'],
];

/** The innermost container that the path tells of. */
export function containerOf(path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '');
  for (let i = parts.length - 1; i >= 0; i -= 1) {
    const part = parts[i] as string;
    for (const [pattern, runtime] of RUNTIMES) {
      const id = pattern.exec(part)?.[1];
      if (id !== undefined) return `${runtime} ${/^[0-9a-f]{32,}$/.test(id) ? id.slice(0, SHORT) : id}`;
    }
    const before = parts[i - 1] ?? '';
    if (/^[0-9a-f]{64}$/.test(part)) {
      if (before === 'docker') return `docker ${part.slice(0, SHORT)}`;
      if (before.startsWith('libpod')) return `podman ${part.slice(0, SHORT)}`;
      return `${parts.some((p) => p.startsWith('kubepods')) ? 'kubernetes' : 'container'} ${part.slice(0, SHORT)}`;
    }
    if (before === 'lxc' && i === 1) return `lxc ${part}`;
    const pod = /^(?:kubepods(?:-\w+)?-)?pod([0-9a-f][0-9a-f_-]{31,})(?:\.slice)?$/.exec(part)?.[1];
    if (pod !== undefined) return `kubernetes pod ${pod.replaceAll('_', '-')}`;
  }
  return null;
}
