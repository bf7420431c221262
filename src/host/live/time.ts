import type { Fact } from '../fact.ts';
import type { Time } from '../host.ts';

export const liveTime: Time = {
  now: () => performance.now(),
  wall: (): Fact<string> => new Date().toISOString(),
  sleep: (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); }),
};
