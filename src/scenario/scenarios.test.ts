/** Every scenario of the project can be read, is named as its file, and speaks of something. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { scenarioJsonSchema } from './json-schema.ts';
import { readScenario } from './read.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'scenarios');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')).sort();

test('there are scenarios for every kind of device', () => assert.ok(files.length >= 20, `${files.length} files`));

for (const file of files) {
  test(`${file} is a scenario and follows the published schema`, () => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    assert.equal(`${readScenario(text, file).scenario}.yaml`, file);
    const validate = new Ajv2020({ strict: false }).compile(scenarioJsonSchema());
    assert.ok(validate(parse(text)), JSON.stringify(validate.errors));
  });
}

test('schema/scenario.json is current', () => {
  const written: unknown = JSON.parse(readFileSync(join(ROOT, 'schema/scenario.json'), 'utf8'));
  assert.deepEqual(written, JSON.parse(JSON.stringify(scenarioJsonSchema())), 'run: node tools/schema.ts');
});
