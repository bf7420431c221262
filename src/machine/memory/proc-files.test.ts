/** meminfo, zoneinfo, the command line: texts of the kernel read back, and any other text survived. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootParameter, parseCmdline } from './cmdline.ts';
import { parseMeminfo } from './meminfo.ts';
import { parseZoneinfo } from './zoneinfo.ts';

test('meminfo values are bytes where the kernel prints kB, counts elsewhere', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.stringMatching(/^[A-Z][A-Za-z_()]{1,14}$/), fc.nat(2 ** 30), fc.boolean())), fc.option(fc.nat(7), { nil: undefined }), (fields, nodeId) => {
    const prefix = nodeId === undefined ? '' : `Node ${nodeId} `;
    const text = fields.map(([name, value, kB]) => `${prefix}${name}: ${String(value).padStart(12)}${kB ? ' kB' : ''}\n`).join('');
    const read = parseMeminfo(text);
    for (const [name, value, kB] of new Map(fields.map((f) => [f[0], f])).values()) assert.equal(read.get(name), value * (kB ? 1024 : 1));
  }));
});

test('zoneinfo keeps the zone numbers apart from those of the per-cpu lists', () => {
  const zones = parseZoneinfo(`Node 1, zone  Movable
  per-node stats
      nr_free_pages 9
  pages free     81680
        boost    0
        min      100
        low      125
        high     150
        spanned  98304
        present  98304
        managed  98304
        protection: (0, 0)
  pagesets
    cpu: 0
              count:    252
              high:     1000
              high_min: 1
  node_unreclaimable:  0
  start_pfn:           1081344
Node 1, zone   Device
  pages free     0
        spanned  0
`);
  assert.deepEqual(zones[0], { node: 1, name: 'Movable', freePages: 81680, lowWatermark: 125, highWatermark: 150, spannedPages: 98304, presentPages: 98304, managedPages: 98304, startPfn: 1081344 });
  assert.equal(zones[1]?.name, 'Device');
});

test('zoneinfo, meminfo and cmdline survive any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    parseZoneinfo(text);
    parseMeminfo(text);
    parseCmdline(text);
  }));
});

test('a parameter is the last one given, dashes and underscores are the same, quotes keep blanks', () => {
  const parameters = parseCmdline('quiet memhp-default-state=online root="a b" memhp_default_state=online_movable');
  assert.equal(bootParameter(parameters, 'memhp_default_state'), 'online_movable');
  assert.equal(bootParameter(parameters, 'quiet'), null);
  assert.equal(bootParameter(parameters, 'root'), 'a b');
  assert.equal(bootParameter(parameters, 'absent'), undefined);
});
