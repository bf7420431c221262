/** Two 32-bit halves of a 64-bit hash, mixed from a place and a value; 0 for the set-up value. */
export function mixLow(place: number, value: number): number {
  let h = Math.imul(place, 0x9e3779b1) ^ Math.imul(value, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}

export function mixHigh(place: number, value: number): number {
  let h = Math.imul(place, 0xc2b2ae35) + Math.imul(value, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}
