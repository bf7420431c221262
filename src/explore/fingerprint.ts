/** A number that tells whether two programs begin in the same state with the same threads and properties. */
import type { Program, WithHeap } from './program.ts';
import { mixHigh, mixLow } from './mix.ts';

/** 16 hexadecimal digits. */
export function fingerprint<C extends WithHeap>(program: Program<C>): string {
  const { heap } = program.context;
  let low = heap.used;
  let high = program.threads.length;
  const take = (value: number): void => {
    low = mixLow(low, value);
    high = mixHigh(high, value);
  };
  for (let address = 0; address < heap.used; address += 1) take(heap.words[address] as number);
  const names = [program.name, ...program.threads.map((t) => `${t.name} ${t.args.join(' ')} ${t.daemon === true}`), ...program.properties.map((p) => `${p.kind} ${p.name}`), `${program.allowHang === true} ${program.allowOops === true}`];
  for (const name of names) for (let i = 0; i <= name.length; i += 1) take(i === name.length ? -1 : name.charCodeAt(i));
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
