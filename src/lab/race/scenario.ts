/** The machine of a race. */
import { readScenario } from '../../scenario/read.ts';
import type { Scenario } from '../../scenario/scenario.ts';

export type RaceFs = 'ext4' | 'xfs';

export const raceScenario = (fs: RaceFs): Scenario => readScenario(`
scenario: race-${fs}
title: Removals by detach against holders that fault and map again without end
machine:
  nvdimms: [{name: nvdimm0, size: 512M}]
  namespaces: [{name: data, on: nvdimm0, mode: fsdax}]
filesystems: [{on: data, at: /mnt, type: ${fs}${fs === 'xfs' ? ', rmapbt: true' : ''}}]
steps: [{unbind: data}]
`, `race-${fs}.yaml`);
