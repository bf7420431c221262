import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMissing } from '../../host/fact.ts';
import { SimFiles } from './sim-files.ts';
import { attribute, directory, fromPaths, link, listing, overlay } from './vfs.ts';

const tree = directory({
  sys: directory({
    bus: directory({ nd: directory({ devices: directory({ 'pfn0.0': link('../../../devices/nd/pfn0.0') }) }) }),
    devices: directory({ nd: directory({ 'pfn0.0': directory({ size: attribute(() => 4096), driver: link('../../../bus/nd') }) }) }),
  }),
  proc: listing(() => ['7'], (name) => (name === '7' ? directory({ comm: attribute(() => 'h') }) : null)),
  loop: link('/loop'),
});
const files = new SimFiles(tree);

test('links are followed, relative ones from where they stand', () => {
  assert.equal(files.text('/sys/bus/nd/devices/pfn0.0/size'), '4096');
  assert.equal(files.resolve('/sys/bus/nd/devices/pfn0.0'), '/sys/devices/nd/pfn0.0');
  assert.equal(files.link('/sys/bus/nd/devices/pfn0.0'), '../../../devices/nd/pfn0.0');
  assert.deepEqual(files.list('/sys/devices/nd/pfn0.0/driver'), ['devices']);
});

test('what is not there is absent, what cannot be walked is said', () => {
  const none = files.text('/sys/bus/dax');
  assert.ok(isMissing(none) && none.missing === 'absent');
  const loop = files.text('/loop/x');
  assert.ok(isMissing(loop) && loop.detail === 'ELOOP');
});

test('directories may be laid over each other and made from paths', () => {
  const both = overlay(fromPaths(new Map([['a/b/c', attribute(() => 1)]])), fromPaths(new Map([['a/b/d', attribute(() => 2)], ['a/e', attribute(() => 3)]])));
  const laid = new SimFiles(both);
  assert.deepEqual(laid.list('/a/b'), ['c', 'd']);
  assert.equal(laid.text('/a/e'), '3');
  assert.equal(laid.text('/a/b/c'), '1');
});
