/** The order of the rooms (rooms.json) holds: imports point upward only, and only some places touch the outside. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import rooms from './rooms.json' with { type: 'json' };

const SRC = resolve(import.meta.dirname, '../src');
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
const roomOf = (path: string): string => path.split('/')[0] ?? '';

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1] ?? '');
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');

test('every room is in the list', () => {
  const unknown = readdirSync(SRC, { withFileTypes: true }).map((e) => e.name).filter((name) => !rooms.order.includes(name));
  assert.deepEqual(unknown, []);
});

test('a room imports only from rooms above it', () => {
  const wrong: string[] = [];
  for (const name of sources) {
    const from = roomOf(name);
    for (const spec of importsOf(readFileSync(join(SRC, name), 'utf8')).filter((s) => s.startsWith('.'))) {
      const to = roomOf(relative(SRC, resolve(SRC, dirname(name), spec)));
      const apart = rooms.apart.some(([a, b]) => (a === from && b === to) || (a === to && b === from));
      if (rooms.order.indexOf(to) > rooms.order.indexOf(from) || apart) wrong.push(`${name} imports ${spec}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('only the listed places touch a file system, a child process, FFI or a clock', () => {
  const wrong: string[] = [];
  for (const name of sources) {
    if (rooms.outside.allowed.some((place) => name.startsWith(`${place}/`))) continue;
    const text = withoutComments(readFileSync(join(SRC, name), 'utf8'));
    for (const spec of importsOf(text)) if (rooms.outside.modules.includes(spec.replace(/^node:/, ''))) wrong.push(`${name} imports ${spec}`);
    for (const word of rooms.outside.globals) if (text.includes(word)) wrong.push(`${name} uses ${word}`);
  }
  assert.deepEqual(wrong, []);
});
