import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { resolvePath } from './resolve.ts';
import { MemoryNode } from './tree.ts';

function directory(entries: Record<string, MemoryNode>): MemoryNode {
  const node = new MemoryNode('directory', 1, 0o755);
  for (const [name, child] of Object.entries(entries)) node.entries?.set(name, child);
  return node;
}
const link = (target: string): MemoryNode => new MemoryNode('link', 2, 0o777, { target });
const file = new MemoryNode('file', 3, 0o644);

const root = directory({
  a: directory({ f: file, up: link('../b'), far: link('/b/g'), gone: link('../b/missing/x'), chain: link('up/back'), out: link('../../..'), self: link('self') }),
  b: directory({ g: file, back: link('../a') }),
});

const at = (path: string): string => {
  const found = resolvePath(root, path);
  return found.node === null ? `${found.why}${found.dangling ? ' dangling' : ''} ${found.below.path}|${found.rest.join('/')}` : found.path;
};

test('links are followed inside the root, relative ones from where they lie', () => {
  assert.equal(at('/a/up/g'), '/b/g');
  assert.equal(at('/a/far'), '/b/g');
  assert.equal(at('/a/chain/f'), '/a/f');
  assert.equal(at('//a/./up/../a/f/'), '/a/f');
  assert.equal(at('/../../a/f'), '/a/f');
});

test('what is missing is told apart: named by a link, or asked for below one', () => {
  assert.equal(at('/a/gone'), 'missing dangling /b|missing/x');
  assert.equal(at('/a/gone/y'), 'missing dangling /b|missing/x/y');
  assert.equal(at('/a/up/nope'), 'missing /b|nope');
  assert.equal(at('/a/chain/nope/deep'), 'missing /a|nope/deep');
  assert.equal(at('/a/f/x'), 'not-a-directory /a/f|x');
  assert.match(at('/a/self'), /^too-many-links/);
  assert.match(at('/a/out'), /^leaves-root/);
});

test('no path leads anywhere but into the tree, or to an answer', () => {
  const part = fc.constantFrom('a', 'b', 'f', 'g', 'up', 'far', 'gone', 'chain', 'out', 'self', 'back', '..', '.', '', 'nope');
  fc.assert(fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
    const found = resolvePath(root, `/${parts.join('/')}`);
    if (found.node !== null) assert.ok(['/', '/a', '/b', '/a/f', '/b/g'].includes(found.path), found.path);
  }));
});
