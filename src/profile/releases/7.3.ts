/** 7.3: 7.2 with the whole-device `state` of dax devices. From 7.3-rc1; none of it was run. */
import type { ProfileEntries } from '../build.ts';

export const V7_3: ProfileEntries = {
  name: '7.3',
  release: [7, 3],
  summary: 'as 7.2, and dax devices have `state`: the whole device is unplugged or nothing (from 7.3-rc1, not run)',
  entries: {
    'ram.whole-device-state': { value: true, source: 'Documentation/ABI/testing/sysfs-bus-dax, 7.3-rc1' },
  },
};
