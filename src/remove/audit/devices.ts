/** Ranges that stay claimed without a driver, and devices that were left unbound. */
import type { Machine } from '../../machine/machine.ts';
import { walkResources } from '../../machine/address-map/iomem.ts';
import { formatRange } from '../../range/units.ts';
import type { Finding } from './audit.ts';

export function auditDevices(machine: Machine): Finding[] {
  return [...claims(machine), ...unbound(machine)];
}

/** System RAM of a driver below the name of a device: alive only while that device has its driver. */
function claims(machine: Machine): Finding[] {
  const findings: Finding[] = [];
  for (const { resource, parent } of walkResources(machine.addressMap.resources)) {
    const driver = /^System RAM \((kmem|virtio_mem)\)$/.exec(resource.name)?.[1];
    if (driver === undefined) continue;
    const owner = parent?.name ?? '';
    const known = driver === 'kmem' ? machine.dax.find((d) => d.name === owner) : machine.virtioMem.find((d) => d.name === owner);
    if (known !== undefined && known.driver !== null) continue;
    const online = machine.memory.blocks.filter((b) => b.state === 'online' && b.start < resource.end && resource.start < b.end).length;
    if (known === undefined && driver === 'kmem') {
      findings.push({
        kind: 'memory-without-device', weight: 'left', subject: formatRange(resource), text: `System RAM (kmem) below "${owner}", a device that is not there any more; ${online} block(s) online.`,
        warning: 'What is stored there may read as zeroes, and the allocator goes on using it.', next: 'Offline its blocks now, restart what used them, and plan a reboot.',
      });
    } else {
      findings.push({
        kind: 'leaked-region', weight: 'left', subject: `${owner} ${formatRange(resource)}`, text: `${resource.name} is still claimed and no driver is bound to ${owner}: it was unbound while memory was online. ${online} block(s) online.`,
        warning: null, next: 'The range cannot be used for anything else before a reboot; the memory that is online keeps working.',
      });
    }
  }
  return findings;
}

function unbound(machine: Machine): Finding[] {
  const names = [
    ...machine.dax.filter((d) => d.driver === null && (d.size ?? 0) > 0).map((d) => d.name),
    ...machine.nvdimm.flatMap((b) => b.regions.flatMap((r) => r.namespaces)).filter((n) => n.driver === null && (n.size ?? 0) > 0).map((n) => n.name),
    ...machine.cxl.memdevs.filter((m) => m.driver === null).map((m) => m.name),
    ...machine.virtioMem.filter((v) => v.driver === null).map((v) => v.name),
    ...machine.virtioPmem.filter((v) => v.driver === null).map((v) => v.name),
  ];
  return names.map((name) => ({ kind: 'driver-unbound', weight: 'notice', subject: name, text: 'No driver is bound to it.', warning: null, next: 'Right after a removal, and for a device that is meant to be idle; otherwise bind its driver.' }));
}
