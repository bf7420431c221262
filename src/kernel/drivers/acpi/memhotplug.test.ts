import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASES } from '../../../profile/releases/index.ts';
import { GiB, MiB } from '../../../range/units.ts';
import type { Kernel } from '../../kernel.ts';
import { MMOP } from '../../mm/memory_hotplug/hotplug.ts';
import { allocContigKernel } from '../../mm/page_alloc.ts';
import { TYPE } from '../../mm/page.ts';
import { spliceGet, splicePut } from '../../mm/pin-ram.ts';
import { userAlloc, userRead } from '../../mm/ram-user.ts';
import { iomemText } from '../../resource.ts';
import { bootMachine } from '../../setup/boot-machine.ts';
import { plugDimm, requestEject, writeEject } from '../../setup/dimm.ts';
import { runStraight } from '../../state/path.ts';
import { threads } from '../../threads.ts';
import { stateStore, validZones } from '../base/block-state.ts';
import { blockState, MEM } from '../base/memory.ts';
import { dimmPresent, OST, ostEvents } from './memhotplug.ts';

const NAMES = ['5.10', '6.1', '6.12', '7.2'];
interface Rig { readonly k: Kernel; readonly dimm: number; readonly iomem: string }
function rig(name: string, mmop: number | null, memmapOnMemory = false): Rig {
  const k = bootMachine({ profile: RELEASES.find((p) => p.name === name)!, ram: [{ start: MiB, end: 2 * GiB, nid: 0 }], memmapOnMemory });
  const iomem = iomemText(k);
  const dimm = plugDimm(k, { name: 'PNP0C80:00', addr: 4 * GiB, size: 256 * MiB, nid: 1 });
  if (mmop !== null) for (const id of [32, 33]) runStraight(stateStore(k, id, mmop, 0));
  return { k, dimm, iomem };
}

test('6d: accepted: the kernel offlines the blocks itself, users move, nothing is logged', () => {
  for (const name of NAMES) {
    for (const mmop of [null, MMOP.onlineMovable]) {
      const { k, dimm, iomem } = rig(name, mmop);
      const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 16, order: 9, value: 3 });
      const mark = k.log.mark;
      requestEject(k, dimm);
      assert.equal(dimmPresent(k, dimm), false);
      assert.deepEqual(ostEvents(k, dimm), [[OST.ejectRequest, OST.inProgress], [OST.ejectRequest, OST.success]]);
      assert.deepEqual(k.log.since(mark).filter((line) => line.text !== 'Offlined Pages 32768'), []);
      assert.equal(userRead(k, user, 15), 3);
      assert.equal(iomemText(k), iomem);
    }
  }
});

test('6d: vetoed: a kernel page makes it busy at once, and both blocks are online again', () => {
  for (const name of NAMES) {
    const { k, dimm } = rig(name, MMOP.onlineKernel);
    allocContigKernel(k, 1, 1, TYPE.slab);
    requestEject(k, dimm);
    assert.deepEqual(ostEvents(k, dimm).at(-1), [OST.ejectRequest, OST.deviceBusy]);
    assert.ok(k.log.has('memory memory32: Offline failed.') && k.log.has('page_type: f5(slab)') && k.log.has('unmovable page'));
    assert.deepEqual([32, 33].map((id) => blockState(k, id)), [MEM.online, MEM.online]);
    assert.equal(writeEject(k, dimm), 0);
    assert.deepEqual(ostEvents(k, dimm).at(-1), [OST.ospmEject, OST.deviceBusy]);
    assert.equal(dimmPresent(k, dimm), true);
  }
});

test('6d: endless: a spliced page keeps the block going-offline; the eject ends by itself when the pipe closes', () => {
  for (const name of NAMES) {
    const { k, dimm } = rig(name, MMOP.onlineMovable);
    const user = userAlloc(k, { name: 'h', kind: 'anon', nid: 1, folios: 512, order: 0, thisNode: true });
    spliceGet(k, user, 0, 16);
    const thread = requestEject(k, dimm);
    assert.equal(thread.state, 'waiting');
    assert.equal(blockState(k, 32), MEM.goingOffline);
    assert.equal(validZones(k, 32), 'Movable Normal');
    assert.deepEqual(ostEvents(k, dimm), [[OST.ejectRequest, OST.inProgress]]);
    assert.equal(requestEject(k, dimm).state, 'waiting');
    splicePut(k, user, 0, 16);
    threads(k).run();
    assert.equal(dimmPresent(k, dimm), false);
    assert.ok(ostEvents(k, dimm).some(([, status]) => status === OST.success));
  }
});

test('6e: a DIMM can hold its own memmap; removing it gives everything back', () => {
  for (const name of ['6.12', '7.2']) {
    const { k, dimm, iomem } = rig(name, MMOP.onlineMovable, true);
    assert.equal(k.zones.get(1, 3, 'free'), 2 * (32768 - 512));
    requestEject(k, dimm);
    assert.equal(dimmPresent(k, dimm), false);
    assert.equal(iomemText(k), iomem);
  }
});
