/** Verbs of memory that a driver hands out (HMM, peer-to-peer), of DIMMs, virtio-mem, ACPI slots, and of memory that falls off the bus. */
import { acpiScanHotRemove, OST } from '../../kernel/drivers/acpi/memhotplug.ts';
import { acpiphpEject } from '../../kernel/drivers/pci/acpiphp.ts';
import { p2pdmaRemove, p2pmemMmap, pciAllocP2pmem, pciFreeP2pmem } from '../../kernel/drivers/pci/p2pdma.ts';
import { virtioMemWork } from '../../kernel/drivers/virtio/plug.ts';
import { VM } from '../../kernel/drivers/virtio/virtio_mem.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { loseMemmapIn, memunmapPages } from '../../kernel/mm/memremap.ts';
import { coordinatedRemoval, migrateToDevice, migrateToRam } from '../../kernel/mm/migrate_device.ts';
import { ANSWER, physBack, physGone } from '../../kernel/mm/physmem.ts';
import { storeLong } from '../../kernel/state/long.ts';
import { AT, type Path } from '../../kernel/state/path.ts';
import { PAGE_SIZE } from './geometry.ts';
import { asProcess } from './in-kernel.ts';
import type { RamHandle } from './machine-ram.ts';
import type { Line, Verb } from './verb.ts';

function* allocP2p(k: Kernel, pgmap: number): Path {
  if (k.concurrent) yield AT('pci_alloc_p2pmem');
  return pciAllocP2pmem(k, pgmap);
}
function* freeP2p(k: Kernel, pfn: number): Path {
  if (pfn < 0) return 0;
  if (k.concurrent) yield AT('pci_free_p2pmem');
  pciFreeP2pmem(k, pfn);
  return 0;
}
function* fallOff(k: Kernel, start: number, end: number, answer: number): Path {
  if (k.concurrent) yield AT('the memory falls off the bus');
  physGone(k, start, end, answer);
  return 0;
}
function* comeBack(k: Kernel, start: number, end: number): Path {
  if (k.concurrent) yield AT('the memory is back');
  physBack(k, start, end);
  return 0;
}
/** The device that holds struct pages of others has gone without a word. */
function* loseMemmap(k: Kernel, start: number, end: number): Path {
  if (k.concurrent) yield AT('the device with the memmap is pulled');
  return loseMemmapIn(k, start, end);
}
function* ask(k: Kernel, vm: number, bytes: number): Path {
  if (k.concurrent) yield AT('host: requested-size');
  storeLong(k.heap, vm + VM.requested, bytes);
  return 0;
}
/** migrate_to_ram of the page under an entry of the task's mapping. */
function* migrateHome(k: Kernel, _task: number, vma: number, vpn: number): Path {
  return yield* k.call(migrateToRam, vma, vpn);
}

const bytes = (range: readonly [number, number]): [number, number] => [range[0] * PAGE_SIZE, range[1] * PAGE_SIZE];
const part = (line: Line, what: 'dimm' | 'virtioMem'): { ram: RamHandle; handle: number } => {
  const ram = line.deviceOf('ram');
  if (ram[what] === 0) throw line.wrong(`${line.word(0)} did not come by ${what === 'dimm' ? 'dimm' : 'virtio-mem'}`);
  return { ram, handle: ram[what] };
};

export const DEVICE_VERBS: Readonly<Record<string, Verb>> = {
  'migrate-to': { takes: 'PROCESS PAGES', says: 'migrate_vma of its page to the device', make: (line) => ({ path: asProcess(migrateToDevice, 'read'), args: [line.process().task, line.vpn(), line.deviceOf('pages', 1).pgmap] }) },
  'migrate-home': { takes: 'PROCESS', says: 'migrate_to_ram of its page', make: (line) => ({ path: asProcess(migrateHome, 'read'), args: [line.process().task, line.process().vma, line.vpn()] }) },
  'coordinated-removal': { takes: 'PAGES', says: 'the driver brings everything home, waits for pins, and gives the pagemap up', make: (line) => ({ path: coordinatedRemoval, args: [line.deviceOf('pages').pgmap] }) },
  memunmap: { takes: 'PAGES', says: 'memunmap_pages without asking anybody', make: (line) => ({ path: memunmapPages, args: [line.deviceOf('pages').pgmap] }) },
  'p2p-alloc': { takes: 'PAGES', says: 'a peer gets a page of the BAR', make: (line) => ({ path: allocP2p, args: [line.deviceOf('pages').pgmap] }) },
  'p2p-free': { takes: 'NAME', says: 'the peer gives back what line NAME got', make: (line) => ({ path: freeP2p, args: [line.result()] }) },
  'p2p-map': { takes: 'PROCESS PAGES', says: 'a process maps a page of the BAR', make: (line) => ({ path: p2pmemMmap, args: [line.process().vma, line.vpn(), line.deviceOf('pages', 1).pgmap] }) },
  'p2p-remove': { takes: 'PAGES', says: 'the driver of the BAR lets go: peers are waited for', make: (line) => ({ path: p2pdmaRemove, args: [line.deviceOf('pages').pgmap, 0] }) },
  'fall-off': { takes: 'DEVICE [ones]', says: 'nothing answers at its addresses any more', make: (line) => ({ path: fallOff, args: [...bytes(line.device().range), line.has('ones') ? ANSWER.ones : ANSWER.zeroes] }) },
  'come-back': { takes: 'DEVICE', says: 'its addresses answer again', make: (line) => ({ path: comeBack, args: bytes(line.device().range) }) },
  'lose-memmap': { takes: 'RAM', says: 'the device whose memory holds struct pages of others is pulled', make: (line) => ({ path: loseMemmap, args: [...line.device().range] }) },
  eject: { takes: 'RAM [file]', says: 'firmware asks for the DIMM; `file`: a write to its eject file does', make: (line) => ({ path: acpiScanHotRemove, args: [part(line, 'dimm').handle, line.has('file') ? OST.ospmEject : OST.ejectRequest] }) },
  ask: { takes: 'RAM mib=N', says: 'the host asks that the device has so much', make: (line) => ({ path: ask, args: [part(line, 'virtioMem').handle, line.option('mib', 0) * 1048576] }) },
  'virtio-mem': { takes: 'RAM', says: 'the kworker of the device (a daemon)', make: (line) => ({ path: virtioMemWork, args: [part(line, 'virtioMem').handle] }) },
  'acpi-eject': { takes: 'SLOT', says: 'acpiphp takes the card out: at once', make: (line) => ({ path: acpiphpEject, args: [line.slot()] }) },
};
