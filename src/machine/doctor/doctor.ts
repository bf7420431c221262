/** What this kernel and this user can and cannot see or do. Reads a host, changes nothing. */
import type { Host } from '../../host/host.ts';
import { actChecks } from './act.ts';
import type { Area, CheckState } from './check.ts';
import { kernelChecks } from './kernel.ts';
import { lookChecks } from './look.ts';

export interface Doctor {
  readonly host: { readonly kind: string; readonly label: string };
  readonly areas: readonly Area[];
  readonly counts: Readonly<Record<CheckState, number>>;
}

export function examine(host: Host): Doctor {
  const areas: Area[] = [
    { name: 'kernel', checks: kernelChecks(host) },
    { name: 'look', checks: lookChecks(host) },
    { name: 'act', checks: actChecks(host) },
  ];
  const counts = { ok: 0, limited: 0, missing: 0, unknown: 0 };
  for (const { state } of areas.flatMap((area) => area.checks)) counts[state] += 1;
  return { host: { kind: host.kind, label: host.label }, areas, counts };
}
