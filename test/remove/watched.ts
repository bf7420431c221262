/** A host that lets something happen before each call of any of its methods. */
const FACETS = ['files', 'processes', 'mounts', 'actions', 'trace', 'store', 'log'];

export function watched<T extends object>(target: T, before: () => void): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value === 'function') return (...args: unknown[]) => { before(); return (value as (...a: unknown[]) => unknown).apply(object, args); };
      return typeof value === 'object' && value !== null && typeof key === 'string' && FACETS.includes(key) ? watched(value, before) : value;
    },
  });
}
