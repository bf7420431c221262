/**
 * The forecast of an offline, block by block, against writing it on the twin of each capture under every release. What a
 * forecast calls possible because no file shows it (a pin, a page of the kernel) is put there, and then it comes.
 * UNSEAT_EVIDENCE=all takes every block and release; the sample here a third of the blocks on two of them.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { kernelPageInBlock, pinInBlock, whatComesOfOffline } from '../src/evidence/what-comes/offline.ts';
import { openCapture } from '../src/host/capture/open.ts';
import { simulatedHost } from '../src/kernel/host/sim-host.ts';
import type { Machine } from '../src/machine/machine.ts';
import { forecast } from '../src/plan/forecast/forecast.ts';
import { readForTwin } from '../src/twin/read.ts';
import { profileByName, releaseNames } from '../src/profile/select.ts';
import type { Profile } from '../src/profile/profile.ts';
import type { Effect } from '../src/steps/forecast.ts';
import { twinOf } from '../src/twin/twin.ts';

const FIXTURES = resolve(import.meta.dirname, '../fixtures/captures');
const ALL = process.env['UNSEAT_EVIDENCE'] === 'all';
const came = { certain: 0, pins: 0, kernelPages: 0 };

async function machineOf(name: string): Promise<Machine> {
  const capture = await openCapture(resolve(FIXTURES, name));
  try {
    return readForTwin(capture);
  } finally {
    capture.close();
  }
}

for (const name of readdirSync(FIXTURES).filter((n) => n.endsWith('.tar.gz')).sort()) {
  test(`offline of each block of the twin of ${name}`, async () => {
    const machine = await machineOf(name);
    const wrong: string[] = [];
    for (const release of ALL ? releaseNames() : ['5.10', '7.2']) {
      const profile = profileByName(release);
      assert.ok(profile !== null);
      if (twinOf(machine, profile).left.length > 0) continue;
      for (const line of compareBlocks(machine, profile)) wrong.push(`${release}: ${line}`);
    }
    assert.deepEqual(wrong, []);
  });
}

function compareBlocks(machine: Machine, profile: Profile): string[] {
  const fresh = () => twinOf(machine, profile).world;
  const twin = readForTwin(simulatedHost(fresh()));
  const wrong: string[] = [];
  for (const device of twin.devices.filter((d) => d.kind === 'memory-block' && (ALL || (d.blocks[0] ?? 0) % 3 === 0))) {
    const index = device.blocks[0] as number;
    const online = twin.memory.blocks.find((b) => b.index === index)?.state !== 'offline';
    const forecasts = forecast(twin, profile, device, 'unbind').effects;
    const says = (effect: Effect): string | undefined => forecasts.find((f) => f.effect === effect)?.certainty;
    if (!online) continue;
    const effects = whatComesOfOffline(fresh(), index);
    for (const effect of effects) if (says(effect) === undefined) wrong.push(`${device.name}: ${effect} came and was not forecast`);
    for (const f of forecasts) if (f.certainty === 'certain' && !effects.has(f.effect)) wrong.push(`${device.name}: ${f.effect} was certain and did not come`);
    if (forecasts.some((f) => f.certainty === 'certain')) came.certain += 1;
    if (effects.size > 0) continue;
    const pinned = fresh();
    if (pinInBlock(pinned, index)) {
      came.pins += 1;
      const after = whatComesOfOffline(pinned, index);
      if (after.has('never-ends') !== (says('never-ends') !== undefined)) wrong.push(`${device.name}: with a page in a pipe came ${[...after].join(', ')}, forecast is ${says('never-ends') ?? 'nothing'} for never-ends`);
    }
    const used = fresh();
    if (kernelPageInBlock(used, index)) {
      came.kernelPages += 1;
      const after = whatComesOfOffline(used, index);
      if (!after.has('veto')) wrong.push(`${device.name}: a page of the kernel is no obstacle`);
      // What was looked at before had no such page; what is looked at now has.
      const now = readForTwin(simulatedHost(used));
      const sees = says('veto') ?? forecast(now, profile, now.devices.find((d) => d.id === device.id) ?? device, 'unbind').effects.find((f) => f.effect === 'veto')?.certainty;
      if (sees === undefined) wrong.push(`${device.name}: with a page of the kernel came ${[...after].join(', ')}, and no forecast of a veto`);
    }
  }
  return wrong;
}

test('certain vetoes, pins and pages of the kernel were all met', () => {
  for (const [what, times] of Object.entries(came)) assert.ok(times > 5, `${what}: ${times}`);
});
