/** Engines that are wrong: the real one on a host that hides or skips something from it. Each must be caught by some shape. */
import type { Host } from '../../host/host.ts';

export const ENGINE_MUTATIONS: Readonly<Record<string, { readonly says: string; readonly host: (host: Host) => Host }>> = {
  'stop-nobody': {
    says: 'processes are told to stop and go on',
    host: (host) => (host.trace === undefined ? host : changed(host, { trace: changed(host.trace, {
      stop: async (process) => ({ process, threads: [process.pid], carrier: process.pid }),
    }) })),
  },
  'lose-the-journal': {
    says: 'what was written down is not found again by who comes next',
    host: (host) => (host.actions === undefined ? host : changed(host, { actions: changed(host.actions, { store: changed(host.actions.store, { list: () => [] }) }) })),
  },
  'know-only-the-first': {
    says: 'only processes that were there at the beginning are ever looked at',
    host(host) {
      const first = host.processes.pids();
      return changed(host, { processes: changed(host.processes, { pids: () => first }) });
    },
  },
};

/** `target` with some members in place of its own. Methods of the rest still run on the target. */
function changed<T extends object>(target: T, by: Partial<T>): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = key in by ? Reflect.get(by, key) : Reflect.get(object, key, object);
      return typeof value === 'function' && !(key in by) ? value.bind(object) : value;
    },
  });
}
