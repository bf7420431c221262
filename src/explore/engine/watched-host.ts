/** A host whose every call is a point where others can run. Calls that act may change anything; calls that look are told apart by what they touch. */
import type { Host } from '../../host/host.ts';

export interface CallWatcher {
  /** Before a call; carries it out by `go` when it wants to, and gives its result. */
  call(name: string, kind: CallKind, go: () => unknown): unknown;
}

/** `own`: the engine's own files, which no process sees. */
export type CallKind = 'looks' | 'acts' | 'own';

const FACETS: Readonly<Record<string, CallKind>> = { files: 'looks', processes: 'looks', mounts: 'looks', log: 'looks', actions: 'acts', trace: 'acts', store: 'own' };

export const watchedHost = (host: Host, watcher: CallWatcher): Host => watched(host, 'host', null, watcher);

function watched<T extends object>(target: T, name: string, kind: CallKind | null, watcher: CallWatcher): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof key !== 'string') return value;
      if (typeof value === 'function' && kind !== null) {
        return (...args: unknown[]) => watcher.call(`${name}.${key}${subject(args[0])}`, kind, () => (value as (...a: unknown[]) => unknown).apply(object, args));
      }
      const facet = FACETS[key];
      return typeof value === 'object' && value !== null && facet !== undefined ? watched(value, key, facet, watcher) : value;
    },
  });
}

/** What a call is about: a path, a pid, a process. */
function subject(first: unknown): string {
  if (typeof first === 'string' || typeof first === 'number') return ` ${first}`;
  return typeof first === 'object' && first !== null && 'pid' in first ? ` ${String(first.pid)}` : '';
}
