/** Devices beyond NVDIMMs: virtio-mem, DIMMs, CXL, disks. */
import { realpathSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotAvailable, type Guest, type GuestDevice } from '../machine.ts';
import { iomem, linkName, namesIn, run, textOf, waitFor } from '../sysfs.ts';
import { nameDax } from './namespaces.ts';

export async function setUpHardware(guest: Guest): Promise<void> {
  const m = guest.scenario.machine;
  for (const d of m.disks) await findDisk(guest, d.name);
  for (const v of m.virtioMem) await plugVirtioMem(guest, v.name, v.requested);
  for (const d of m.dimms) if (d.plugged) await plugDimm(guest, d.name);
  if (m.cxl.length > 0) await setUpCxl(guest);
}

async function findDisk(guest: Guest, name: string): Promise<void> {
  const block = await waitFor(() => namesIn('/sys/block').find((b) => textOf(`/sys/block/${b}/serial`) === name));
  if (block === null) throw new NotAvailable(`the disk ${name} did not come up`);
  const path = realpathSync(`/sys/block/${block}`);
  const virtio = /\/(virtio\d+)\//.exec(path)?.[1];
  const pci = [...path.matchAll(/([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2})\.\d/g)].at(-1)?.[1];
  guest.devices.set(name, { name, block: `/dev/${block}`, bus: 'virtio', driver: 'virtio_blk', ...(virtio ? { bindName: virtio } : {}), ...(pci ? { kernelName: pci } : {}) });
}

async function plugVirtioMem(guest: Guest, name: string, bytes: number): Promise<void> {
  const bound = await waitFor(() => namesIn('/sys/bus/virtio/drivers/virtio_mem').find((n) => /^virtio\d+$/.test(n)));
  if (bound === null) throw new NotAvailable('no virtio_mem driver is bound');
  await mustAsk(guest, { kind: 'resize', device: name, bytes });
  const own = await waitFor(() => iomem().find((line) => line.name === bound), 20_000);
  if (!own) throw new NotAvailable(`${name} plugged nothing`);
  await wholly(guest, name, bytes);
  const device: GuestDevice = { name, bus: 'virtio', bindName: bound, kernelName: bound, driver: 'virtio_mem', range: { start: own.start, end: own.end } };
  guest.devices.set(name, device);
}

/** Blocks come one by one: what is looked at too early misses the last. */
async function wholly(guest: Guest, name: string, bytes: number): Promise<void> {
  for (const until = performance.now() + 30_000; performance.now() < until;) {
    if ((await guest.channel.ask({ kind: 'size', device: name })).value === bytes) return;
    await sleep(200);
  }
  throw new NotAvailable(`${name} did not grow to ${bytes} bytes`);
}

/** A DIMM is plugged as on a running machine; the range is what appears at the end of the address map. */
export async function plugDimm(guest: Guest, name: string): Promise<void> {
  const before = new Set(namesIn('/sys/devices/system/memory'));
  await mustAsk(guest, { kind: 'plug', device: name });
  const spec = guest.scenario.machine.dimms.find((d) => d.name === name);
  const size = Number.parseInt(textOf('/sys/devices/system/memory/block_size_bytes') ?? '8000000', 16);
  const wanted = (spec?.size ?? 0) / size;
  const fresh = await waitFor(() => {
    const now = namesIn('/sys/devices/system/memory').filter((n) => /^memory\d+$/.test(n) && !before.has(n)).map((n) => Number(n.slice(6)));
    return now.length >= wanted ? now.sort((a, b) => a - b) : null;
  }, 10_000);
  if (!fresh) throw new NotAvailable(`the DIMM ${name} brought no memory blocks`);
  const start = (fresh[0] ?? 0) * size;
  const acpi = namesIn('/sys/bus/acpi/devices').find((n) => n.startsWith('PNP0C80') && textOf(`/sys/bus/acpi/devices/${n}/status`) === '15');
  guest.devices.set(name, { name, range: { start, end: start + (spec?.size ?? 0) }, ...(acpi ? { kernelName: acpi } : {}) });
}

async function mustAsk(guest: Guest, action: Parameters<Guest['channel']['ask']>[0]): Promise<void> {
  const answer = await guest.channel.ask(action);
  if (!answer.ok) throw new NotAvailable(`${action.kind} ${action.device}: ${answer.error ?? 'refused by QEMU'}`);
}

async function setUpCxl(guest: Guest): Promise<void> {
  const wanted = guest.scenario.machine.cxl;
  const memdevs = await waitFor(() => {
    const found = namesIn('/sys/bus/cxl/devices').filter((n) => /^mem\d+$/.test(n));
    return found.length >= wanted.length ? found : null;
  }, 20_000);
  if (!memdevs) throw new NotAvailable('the CXL memory devices did not come up');
  for (const spec of wanted) {
    const serial = `0x${wanted.indexOf(spec) + 1}`;
    const memdev = memdevs.find((n) => textOf(`/sys/bus/cxl/devices/${n}/serial`) === serial) ?? '';
    const pci = /([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d)\/mem\d+$/.exec(realpathSync(`/sys/bus/cxl/devices/${memdev}`))?.[1];
    const device: GuestDevice = { name: spec.name, kernelName: memdev, bus: 'pci', driver: 'cxl_pci', ...(pci ? { bindName: pci } : {}) };
    guest.devices.set(spec.name, device);
    if (spec.use === 'none') continue;
    const type = spec.memory === 'volatile' ? 'ram' : 'pmem';
    const made = JSON.parse(await run('cxl', ['create-region', '-t', type, '-d', 'decoder0.0', '-m', memdev])) as { region: string; resource?: number | string; size?: number };
    const start = Number(textOf(`/sys/bus/cxl/devices/${made.region}/resource`) ?? 0);
    device.range = { start, end: start + Number(textOf(`/sys/bus/cxl/devices/${made.region}/size`) ?? 0) };
    if (type === 'pmem') await pmemRegion(device);
    else await ramRegion(device, made.region, spec.use);
  }
}

async function pmemRegion(device: GuestDevice): Promise<void> {
  const region = await waitFor(() => namesIn('/sys/bus/nd/devices').find((n) => /^region\d+$/.test(n) && Number(textOf(`/sys/bus/nd/devices/${n}/resource`)) === device.range?.start));
  if (region === null) throw new NotAvailable('the CXL region has no nd region');
  device.region = region;
}

async function ramRegion(device: GuestDevice, region: string, use: string): Promise<void> {
  const char = await waitFor(() => namesIn('/sys/bus/dax/devices').find((n) => realpathSync(`/sys/bus/dax/devices/${n}`).includes(`/${region}/`)), 10_000);
  if (char === null) throw new NotAvailable(`the CXL region ${region} has no dax device`);
  const dax: GuestDevice = { name: device.name };
  await nameDax(dax, char);
  device.char = `/dev/${char}`;
  const driver = linkName(`/sys/bus/dax/devices/${char}/driver`);
  if (use === 'devdax' && driver !== 'device_dax') {
    await run('/bin/sh', ['-c', `echo ${char} > /sys/bus/dax/drivers/${driver ?? 'kmem'}/unbind; echo ${char} > /sys/bus/dax/drivers/device_dax/new_id; true`]);
    await waitFor(() => (linkName(`/sys/bus/dax/devices/${char}/driver`) === 'device_dax' ? true : null));
  }
}
