/**
 * Outputs of scan, map and doctor for each capture, as they are committed under test/expected. UNSEAT_UPDATE_EXPECTED=1 writes
 * them anew: look at the difference as an operator would before committing it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { before, test } from 'node:test';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { doctorText } from '../src/cli/print/doctor.ts';
import { mapText } from '../src/cli/print/map.ts';
import { Output } from '../src/cli/print/output.ts';
import { scanText } from '../src/cli/print/scan.ts';
import { physicalMap } from '../src/machine/address-map/physical-map.ts';
import { examine } from '../src/machine/doctor/doctor.ts';
import { doctorJsonSchema } from '../src/machine/schema/doctor.ts';
import { machineJsonSchema, mapJsonSchema } from '../src/machine/schema/json-schema.ts';
import { CAPTURES, look, lookAt, peerMissing, peerPath, type Looked } from './captures.ts';
import { expected } from './expected-file.ts';

const page = { width: 100, style: (_: string, text: string) => text };
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

let validMachine: ValidateFunction;
let validMap: ValidateFunction;
let validDoctor: ValidateFunction;
before(() => {
  const ajv = new Ajv2020({ strict: false });
  validMachine = ajv.compile(machineJsonSchema());
  validMap = ajv.compile(mapJsonSchema());
  validDoctor = ajv.compile(doctorJsonSchema());
});

function follows(valid: ValidateFunction, value: unknown): void {
  // As a program gets it: through the text of the document.
  assert.ok(valid(JSON.parse(JSON.stringify(value))), JSON.stringify(valid.errors?.slice(0, 3)));
}

const tidy = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

for (const capture of CAPTURES) {
  test(`${capture}: scan, map and doctor as expected, and their JSON follows the schemas`, async () => {
    const { host, machine } = await lookAt(capture, { pages: true });
    const map = physicalMap(machine);
    expected(capture, 'scan.txt', tidy(scanText(machine, page)));
    expected(capture, 'scan.json', json(machine));
    expected(capture, 'map.txt', tidy(mapText(map, { ...page, width: 80 })));
    follows(validMachine, machine);
    follows(validMap, map);
    const doctor = examine(host);
    expected(capture, 'doctor.txt', doctorText(doctor, new Output({ json: false, color: false, width: 100, progress: false })));
    follows(validDoctor, doctor);
    host.close();
  });
}

for (const peer of ['hwloc-32em64t-2n8c+dax+nvme+mic+dimms.tar.bz2', 'util-linux-x86_64-16g.tar.bz2']) {
  test(`${peer}: the JSON follows the schemas and the texts can be made`, { skip: peerMissing(peer) }, async () => {
    const { machine }: Looked = await look(peerPath(peer));
    follows(validMachine, machine);
    follows(validMap, physicalMap(machine));
    assert.ok(scanText(machine, page).includes('Memory that can leave'));
    assert.ok(mapText(physicalMap(machine), page).includes('physical address map'));
  });
}

test('the published schemas are those of the source', () => {
  for (const [file, schema] of [['machine.json', machineJsonSchema()], ['map.json', mapJsonSchema()], ['doctor.json', doctorJsonSchema()]] as const) {
    assert.deepEqual(JSON.parse(readFileSync(resolve(import.meta.dirname, '../schema', file), 'utf8')), JSON.parse(JSON.stringify(schema)), `node tools/schema.ts writes schema/${file} anew`);
  }
});

test('a document with a field that the schema does not know is refused', async () => {
  const { machine } = await lookAt('fsdax-7.2-ext4', { rivals: false });
  assert.equal(validMachine(JSON.parse(JSON.stringify({ ...machine, surprise: 1 }))), false);
  assert.equal(validMachine(JSON.parse(JSON.stringify({ ...machine, memory: { ...machine.memory, blockSize: '8000000' } }))), false);
});
