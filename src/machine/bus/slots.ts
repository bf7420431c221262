/** PCI slots. Source: drivers/pci/slot.c, drivers/pci/hotplug/{pci_hotplug_core,pciehp_core,acpiphp_core}.c; Documentation/ABI/testing/sysfs-bus-pci. */
import { isMissing } from '../../host/fact.ts';
import type { Reader } from '../reader.ts';
import type { PciCard, PciSlot } from '../types/bus.ts';
import type { CxlMemdev } from '../types/cxl.ts';
import { parseVpd } from './vpd.ts';

const SLOTS = '/sys/bus/pci/slots';
const DEVICES = '/sys/bus/pci/devices';

export function readSlots(reader: Reader, memdevs: readonly CxlMemdev[]): PciSlot[] {
  const functions = reader.list(DEVICES);
  return [...reader.list(SLOTS)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).map((name) => {
    const path = `${SLOTS}/${name}`;
    const files = reader.list(path);
    const address = reader.text(`${path}/address`) || null;
    const behind = address === null ? [] : functions.filter((f) => f.startsWith(`${address}.`));
    return {
      name,
      address,
      power: reader.flag(`${path}/power`),
      // acpiphp has the file and answers EINVAL: nothing to tell.
      attention: files.includes('attention') ? attention(reader, `${path}/attention`) : null,
      adapter: reader.flag(`${path}/adapter`),
      latch: files.includes('latch') ? reader.flag(`${path}/latch`) : null,
      driver: driverOf(files),
      functions: behind,
      card: behind.length === 0 ? null : readCard(reader, behind[0]!, memdevs),
      path,
    };
  });
}

function attention(reader: Reader, path: string): number | null {
  const text = reader.host.files.text(path);
  return isMissing(text) || !/^\d+$/.test(text.trim()) ? null : Number(text);
}

/**
 * Slots without `power` are only named by firmware (no hotplug driver). Of the two drivers, acpiphp always has `latch`;
 * pciehp has it only on slots with an MRL sensor (MRL+), and such a slot can be told by the `attention` file that reads.
 */
function driverOf(files: readonly string[]): PciSlot['driver'] {
  if (!files.includes('power')) return null;
  if (!files.includes('latch')) return 'pciehp';
  return files.includes('attention') && files.includes('reset') ? null : 'acpiphp';
}

function readCard(reader: Reader, address: string, memdevs: readonly CxlMemdev[]): PciCard {
  const path = `${DEVICES}/${address}`;
  const vendor = reader.text(`${path}/vendor`);
  const device = reader.text(`${path}/device`);
  const data = reader.host.files.read(`${path}/vpd`);
  const vpd = isMissing(data) ? new Map<string, string>() : parseVpd(data);
  return {
    ids: vendor === null || device === null ? null : `${vendor.replace('0x', '')}:${device.replace('0x', '')}`,
    class: reader.text(`${path}/class`),
    serial: vpd.get('SN') ?? memdevs.find((m) => m.pci === address)?.serial ?? null,
    partNumber: vpd.get('PN') ?? null,
    location: reader.text(`${path}/label`) || null,
  };
}
