/** Which holders force cannot detach: for these alone it takes memory_failure(). Nothing is touched to find out. */
import type { ProcessRef } from '../../../host/actions.ts';
import type { Host } from '../../../host/host.ts';
import { foreseeDetach } from '../detach/foresee.ts';

export interface Undetachable {
  readonly pid: number;
  readonly why: string;
}

/** `shared`: processes that run in one memory with others, by pid; one of them would run on while another is edited. */
export function undetachable(host: Host, holders: readonly ProcessRef[], devices: ReadonlySet<string>, shared: ReadonlyMap<number, readonly number[]> = new Map()): Undetachable[] {
  return holders.flatMap((process) => {
    const partners = shared.get(process.pid);
    if (partners !== undefined) return [{ pid: process.pid, why: `it shares its memory with pid ${partners.join(', ')}` }];
    const foresight = foreseeDetach(host, process, devices);
    return foresight.possible ? [] : [{ pid: process.pid, why: foresight.why }];
  });
}
