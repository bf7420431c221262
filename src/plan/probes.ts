/** What the inventory shows of the kernel itself, whatever its release says. */
import type { Machine } from '../machine/machine.ts';
import type { Probe } from '../profile/select.ts';

export function probesOf(machine: Machine): Probe[] {
  const probes: Probe[] = [];
  const withState = machine.dax.find((d) => d.state !== null);
  if (withState) probes.push({ mechanism: 'ram.whole-device-state', value: true, evidence: `${withState.path}/state is there` });
  const withMemmap = machine.dax.find((d) => d.memmapOnMemory !== null);
  if (withMemmap) probes.push({ mechanism: 'ram.memmap-on-memory-attribute', value: true, evidence: `${withMemmap.path}/memmap_on_memory is there` });
  const ram = machine.cxl.regions.find((r) => r.mode === 'ram');
  if (ram) probes.push({ mechanism: 'bus.cxl-regions', value: 'ram-and-pmem', evidence: `${ram.path} is a ram region` });
  return probes;
}
