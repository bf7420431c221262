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
  const pciehp = pciehpBuses(reader);
  return [...reader.list(SLOTS)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).map((name) => {
    const path = `${SLOTS}/${name}`;
    const files = reader.list(path);
    const address = reader.text(`${path}/address`) || null;
    const behind = address === null ? [] : functions.filter((f) => f.startsWith(`${address}.`));
    // acpiphp has the file and answers EINVAL: nothing to tell.
    const light = files.includes('attention') ? attention(reader, `${path}/attention`) : null;
    return {
      name,
      address,
      power: reader.flag(`${path}/power`),
      attention: light,
      adapter: reader.flag(`${path}/adapter`),
      latch: files.includes('latch') ? reader.flag(`${path}/latch`) : null,
      driver: driverOf(files, address, light, pciehp),
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

/** Buses below the ports that pciehp drives, `0000:0d`. */
function pciehpBuses(reader: Reader): ReadonlySet<string> {
  const ports = reader.list('/sys/bus/pci_express/drivers/pciehp').map((name) => /^(([0-9a-f]{4,}):[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]):pcie\d+$/.exec(name)).filter((m) => m !== null);
  return new Set(ports.flatMap((m) => {
    const bus = reader.integer(`${DEVICES}/${m[1]}/secondary_bus_number`);
    return bus === null ? [] : [`${m[2]}:${bus.toString(16).padStart(2, '0')}`];
  }));
}

/**
 * A slot without `power` is only named by firmware. The port's driver decides where sysfs shows it. Elsewhere: acpiphp
 * always has `latch` and cannot read `attention`; pciehp has `latch` only on slots with a latch sensor (MRL+).
 */
function driverOf(files: readonly string[], address: string | null, attention: number | null, pciehp: ReadonlySet<string>): PciSlot['driver'] {
  if (!files.includes('power')) return null;
  if (address !== null && pciehp.has(address.slice(0, address.lastIndexOf(':')))) return 'pciehp';
  return files.includes('latch') && attention === null ? 'acpiphp' : 'pciehp';
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
