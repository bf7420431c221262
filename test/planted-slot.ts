/** A CXL card in a hotplug slot, as a planted capture shows it. */
import type { Tree } from './planted.ts';

const CARD = 'sys/devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0';

/** `files` of /sys/bus/pci/slots/2 beside address, power and adapter. */
export const cardInSlot = (files: Tree, more: Tree = {}): Tree => ({
  [`${CARD}/class`]: '0x050210\n', [`${CARD}/mem0/serial`]: '0x1\n', [`${CARD}/mem0/ram/size`]: '0x20000000\n', [`${CARD}/mem0/pmem/size`]: '0x0\n',
  'sys/bus/cxl/devices/mem0': '-> ../../../devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0/mem0',
  'sys/bus/pci/devices/0000:0d:00.0': '-> ../../../devices/pci0000:0c/0000:0c:00.0/0000:0d:00.0',
  'sys/bus/pci/slots/2/address': '0000:0d:00\n', 'sys/bus/pci/slots/2/power': '1\n', 'sys/bus/pci/slots/2/adapter': '1\n',
  ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`sys/bus/pci/slots/2/${name}`, text])),
  'proc/version': 'Linux version 7.2.0 (x@y) #1 SMP\n', ...more,
});
