import type { Fact } from '../fact.ts';
import type { Time } from '../host.ts';

export const liveTime: Time = {
  now: () => performance.now(),
  wall: (): Fact<string> => new Date().toISOString(),
  sleep: (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); }),
  within: async (work, milliseconds) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((done) => { timer = setTimeout(() => done(null), milliseconds); });
    try {
      return await Promise.race([work.then((value) => ({ value })), late]);
    } finally {
      clearTimeout(timer);
    }
  },
};
