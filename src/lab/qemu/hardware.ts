/** What a guest asks of its hardware, done through QEMU's monitor. */
import type { HostAction } from '../channel/protocol.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Qmp } from './qmp.ts';
import { portOf } from './command.ts';

/** What is needed of the monitor. */
type Monitor = Pick<Qmp, 'execute' | 'events'>;

export class Hardware {
  private readonly scenario: Scenario;
  private readonly qmp: Monitor;
  private seen = 0;
  private objects = 0;

  constructor(scenario: Scenario, qmp: Monitor) {
    this.scenario = scenario;
    this.qmp = qmp;
  }

  /** @throws QmpError with QEMU's own words */
  async act(action: HostAction): Promise<unknown> {
    switch (action.kind) {
      case 'plug': return this.plug(action.device);
      case 'pull': return this.qmp.execute('device_del', { id: action.device });
      case 'resize': return this.qmp.execute('qom-set', { path: `/machine/peripheral/${action.device}`, property: 'requested-size', value: action.bytes });
      case 'size': return this.qmp.execute('qom-get', { path: `/machine/peripheral/${action.device}`, property: 'size' });
      default: return this.events(action.device);
    }
  }

  private async plug(name: string): Promise<unknown> {
    const dimm = this.scenario.machine.dimms.find((d) => d.name === name);
    if (dimm) {
      // The memory of one that left stays with QEMU under its name.
      this.objects += 1;
      const memory = `mem-${name}-${this.objects}`;
      await this.qmp.execute('object-add', { 'qom-type': 'memory-backend-ram', id: memory, size: dimm.size });
      return this.qmp.execute('device_add', { driver: 'pc-dimm', id: name, memdev: memory, node: dimm.node });
    }
    const disk = this.scenario.machine.disks.find((d) => d.name === name);
    if (disk) return this.plugDisk(name, disk.size);
    const cxl = this.scenario.machine.cxl.findIndex((c) => c.name === name);
    const card = this.scenario.machine.cxl[cxl];
    if (card) {
      const memory = card.memory === 'volatile' ? { 'volatile-memdev': `mem-${name}` } : { 'persistent-memdev': `mem-${name}`, lsa: `lsa-${name}` };
      return this.qmp.execute('device_add', { driver: 'cxl-type3', id: name, bus: portOf(name), sn: cxl + 1, ...memory });
    }
    throw new Error(`${name} cannot be plugged`);
  }

  /** The drive of a disk goes with its device: what comes is another, blank disk. */
  private async plugDisk(name: string, size: number): Promise<unknown> {
    this.objects += 1;
    const node = `again-${name}-${this.objects}`;
    await this.qmp.execute('blockdev-add', { driver: 'null-co', 'node-name': node, size, 'read-zeroes': true });
    return this.qmp.execute('device_add', { driver: 'virtio-blk-pci', id: name, drive: node, serial: name, bus: portOf(name) });
  }

  private async events(device: string): Promise<string[]> {
    const fresh = this.qmp.events.slice(this.seen);
    this.seen = this.qmp.events.length;
    const words = fresh.flatMap((e): string[] => {
      const info = e.data['info'] as { status?: number; source?: number } | undefined;
      if (e.name === 'ACPI_DEVICE_OST') return [`OST ${info?.status ?? '?'}`];
      // A card that shrinks is no card that comes or goes.
      if (e.name === 'MEMORY_DEVICE_SIZE_CHANGE') return [];
      return e.data['device'] === device || e.data['id'] === device ? [e.name] : [];
    });
    // A device that something still refers to is taken out of its slot without an event.
    if (!words.includes('DEVICE_DELETED') && !(await this.isThere(device))) words.push('DEVICE_DELETED');
    return words;
  }

  private async isThere(device: string): Promise<boolean> {
    try {
      return (await this.qmp.execute('qom-get', { path: `/machine/peripheral/${device}`, property: 'realized' })) === true;
    } catch {
      return false;
    }
  }
}
