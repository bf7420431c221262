/** Outputs of plan for each capture, as committed under test/expected; UNSEAT_UPDATE_EXPECTED=1 writes them anew. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { before, test } from 'node:test';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { planText } from '../src/cli/print/plan.ts';
import { layout } from '../src/plan/layout/layout.ts';
import { carveNamespaces, parseNamespace } from '../src/plan/layout/namespaces.ts';
import { parseRange } from '../src/plan/layout/parse-range.ts';
import { layoutJsonSchema } from '../src/plan/schema/layout.ts';
import { planJsonSchema } from '../src/plan/schema/plan.ts';
import { geometryOf, MiB } from '../src/range/units.ts';
import { expected } from './expected-file.ts';
import { PLANNED, planned } from './planned.ts';

const SCHEMA = resolve(import.meta.dirname, '../schema');
const page = { width: 100, style: (_: string, text: string) => text };

let validPlan: ValidateFunction;
let validLayout: ValidateFunction;
before(() => {
  const ajv = new Ajv2020({ strict: false });
  validPlan = ajv.compile(JSON.parse(readFileSync(resolve(SCHEMA, 'plan.json'), 'utf8')) as object);
  validLayout = ajv.compile(JSON.parse(readFileSync(resolve(SCHEMA, 'layout.json'), 'utf8')) as object);
});

for (const [capture, name] of PLANNED) {
  test(`${capture}: plan ${name} as expected, and its JSON follows schema/plan.json`, async () => {
    const { machine, device, leaves, plan } = await planned(capture, name);
    const shown = [plan.ways.find((w) => w.possible) ?? plan.ways[0]].filter((w) => w !== undefined);
    const file = `plan-${name.replace(/[^a-z0-9.]/gi, '-')}`;
    const text = planText({ machine, device, leaves, plan, shown, sources: false }, page);
    expected(capture, `${file}.txt`, text.endsWith('\n') ? text : `${text}\n`);
    expected(capture, `${file}.json`, `${JSON.stringify(plan, null, 2)}\n`);
    assert.ok(validPlan(JSON.parse(JSON.stringify(plan))), JSON.stringify(validPlan.errors?.slice(0, 3)));
  });
}

test('layout --json follows schema/layout.json', () => {
  const geometry = geometryOf('x86_64', 4096);
  assert.ok(geometry);
  const report = layout([parseRange('ram:0x100000-0x7ffdafff'), parseRange('64M!0x46000000'), parseRange('33M!0x49000000'), parseRange('512M!4G')], { geometry, blockSize: 128 * MiB });
  const namespaces = carveNamespaces({ start: 0x100000000, end: 0x120000000 }, ['16M', '18M', '32M:devdax', '16M:sector'].map(parseNamespace), 4096);
  for (const value of [report, { ...report, namespaces }]) assert.ok(validLayout(JSON.parse(JSON.stringify(value))), JSON.stringify(validLayout.errors?.slice(0, 3)));
});

test('schema/plan.json and schema/layout.json are what tools/schema.ts writes', () => {
  for (const [file, schema] of [['plan.json', planJsonSchema()], ['layout.json', layoutJsonSchema()]] as const) {
    assert.deepEqual(JSON.parse(readFileSync(resolve(SCHEMA, file), 'utf8')), JSON.parse(JSON.stringify(schema)), `node tools/schema.ts writes schema/${file} anew`);
  }
});
