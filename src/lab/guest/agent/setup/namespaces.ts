/** Makes the declared namespaces and finds out what the kernel calls them. */
import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Namespace } from '../../../../scenario/layout.ts';
import { NotAvailable, type Guest, type GuestDevice } from '../machine.ts';
import { linkName, namesIn, run, textOf, waitFor } from '../sysfs.ts';

const ND = '/sys/bus/nd/devices';

/** NVDIMM, memmap and virtio-pmem regions, in the order of their addresses, which is the order of declaration. */
export async function findRegions(guest: Guest): Promise<void> {
  const m = guest.scenario.machine;
  const wanted = [...m.memmapPmem.map((r) => r.name), ...m.nvdimms.map((n) => n.name), ...m.virtioPmem.map((v) => v.name)];
  if (wanted.length === 0) return;
  const regions = await waitFor(() => {
    const found = namesIn(ND).filter((name) => /^region\d+$/.test(name));
    return found.length >= wanted.length ? found : null;
  });
  if (!regions) throw new NotAvailable(`${wanted.length} persistent regions were asked for; the kernel has ${namesIn(ND).filter((n) => /^region\d+$/.test(n)).length}`);
  const byAddress = regions.map((region) => ({ region, range: regionRange(region) })).sort((a, b) => a.range.start - b.range.start);
  wanted.forEach((name, i) => {
    const found = byAddress[i];
    if (found) guest.devices.set(name, { name, region: found.region, range: found.range });
  });
  for (const v of m.virtioPmem) {
    const device = guest.devices.get(v.name);
    if (!device?.region) continue;
    const path = realpathSync(`${ND}/${device.region}`);
    const virtio = /\/(virtio\d+)\//.exec(path)?.[1];
    const block = await waitFor(() => namesIn('/sys/block').find((b) => b.startsWith('pmem') && realpathSync(`/sys/block/${b}`).startsWith(`${path}/`)));
    Object.assign(device, { kernelName: virtio, bus: 'virtio', bindName: virtio, driver: 'virtio_pmem', block: block === null ? undefined : `/dev/${block}` });
  }
}

const regionRange = (region: string): { start: number; end: number } => {
  const start = Number(textOf(`${ND}/${region}/resource`) ?? 0);
  return { start, end: start + Number(textOf(`${ND}/${region}/size`) ?? 0) };
};

export async function makeNamespaces(guest: Guest): Promise<void> {
  for (const spec of guest.scenario.machine.namespaces) if (!spec.later) await makeNamespace(guest, spec);
}

interface NdctlNamespace { readonly dev: string; readonly blockdev?: string; readonly chardev?: string; readonly daxregion?: { readonly devices?: readonly { readonly chardev: string }[] } }

export async function makeNamespace(guest: Guest, spec: Namespace): Promise<void> {
  const on = guest.devices.get(spec.on);
  if (!on?.region) throw new NotAvailable(`the region of ${spec.on} is not there`);
  const mode = ['-m', spec.mode, ...(spec.mode === 'fsdax' || spec.mode === 'devdax' ? ['-M', spec.map] : [])];
  const size = spec.size === undefined ? [] : ['-s', String(spec.size)];
  const align = spec.align === undefined ? [] : ['-a', String(spec.align)];
  const target = await placeFor(guest, on.region, spec.size !== undefined);
  const text = await run('ndctl', ['create-namespace', ...target, ...mode, ...size, ...align]);
  const made = JSON.parse(text) as NdctlNamespace;
  const region = on.region;
  const device: GuestDevice = { name: spec.name, namespace: made.dev, region, ...(on.range ? { range: on.range } : {}) };
  guest.devices.set(spec.name, device);
  if (spec.mode === 'devdax') await nameDax(device, made.chardev ?? made.daxregion?.devices?.[0]?.chardev ?? '');
  else await nameBlock(device, made.blockdev ?? '');
}

/**
 * Where the next namespace goes. A region whose labels were never written (and one without labels) is one namespace that
 * is made over; for one of a size the labels are written first. Otherwise it is cut out of the free space.
 */
async function placeFor(guest: Guest, region: string, sized: boolean): Promise<string[]> {
  const ours = new Set([...guest.devices.values()].map((d) => d.namespace));
  const whole = namesIn(`${ND}/${region}`).find((name) => /^namespace\d+\.\d+$/.test(name) && !ours.has(name) && Number(textOf(`${ND}/${name}/size`) ?? 0) > 0);
  if (whole === undefined) return ['-r', region];
  if (!sized) return ['-f', '-e', whole];
  await run('ndctl', ['disable-region', region]);
  await run('ndctl', ['init-labels', '-f', 'all']);
  await run('ndctl', ['enable-region', region]);
  return ['-r', region];
}

async function nameBlock(device: GuestDevice, block: string): Promise<void> {
  await waitFor(() => textOf(`/sys/block/${block}/dev`));
  device.block = `/dev/${block}`;
  // .../pfn0.0/block/pmem0 or .../namespace0.0/block/pmem0: the directory above is what the driver is bound to.
  device.bindName = basename(dirname(dirname(realpathSync(`/sys/block/${block}`))));
  device.bus = 'nd';
  device.driver = linkName(`${ND}/${device.bindName}/driver`) ?? 'nd_pmem';
}

export async function nameDax(device: GuestDevice, char: string): Promise<void> {
  if (char === '') throw new NotAvailable(`no dax device came up for ${device.name}`);
  const folder = `/sys/bus/dax/devices/${char}`;
  device.char = `/dev/${char}`;
  device.bus = 'dax';
  device.bindName = char;
  device.driver = (await waitFor(() => linkName(`${folder}/driver`))) ?? 'device_dax';
}
