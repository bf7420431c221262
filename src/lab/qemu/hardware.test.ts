import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { readScenario } from '../../scenario/read.ts';
import { Hardware } from './hardware.ts';
import { QmpError, type QmpEvent } from './qmp.ts';

const FILE = 'truth-b-virtio-mem-longterm.yaml';
const scenario = readScenario(readFileSync(resolve(import.meta.dirname, '../../../scenarios', FILE), 'utf8'), FILE);

/** A monitor of a machine whose virtio-mem card leaves when it is asked to. */
class LeavingCard {
  readonly events: QmpEvent[] = [];
  private there = true;

  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (command === 'device_del') {
      this.there = false;
      this.events.push({ name: 'DEVICE_DELETED', data: { device: args['id'] } });
      return {};
    }
    if (!this.there) throw new QmpError("Device 'vmem' not found");
    return args['property'] === 'size' ? 0 : true;
  }
}

test('a card that has left is reported; only one that is there can be asked for its size', async () => {
  const hardware = new Hardware(scenario, new LeavingCard());
  assert.equal(await hardware.act({ kind: 'size', device: 'vmem' }), 0);
  assert.deepEqual(await hardware.act({ kind: 'events', device: 'vmem' }), []);
  await hardware.act({ kind: 'pull', device: 'vmem' });
  assert.deepEqual(await hardware.act({ kind: 'events', device: 'vmem' }), ['DEVICE_DELETED']);
  await assert.rejects(hardware.act({ kind: 'size', device: 'vmem' }), QmpError);
});
