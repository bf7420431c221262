import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitsSeries, imagesOf, partsOf } from './choose.ts';
import { mirrorFrom, sourcesList } from './mirror.ts';
import { parseDepends, parseStanzas } from './stanzas.ts';
import { compareVersions } from './version.ts';

const LIST = `Package: linux-image-7.2.12+deb13-amd64
Version: 7.2.12-1~bpo13+1
Depends: dracut | initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool, linux-base-7.2.12+deb13-amd64 (= 7.2.12-1~bpo13+1), linux-binary-7.2.12+deb13-amd64 (= 7.2.12-1~bpo13+1), linux-modules-7.2.12+deb13-amd64 (= 7.2.12-1~bpo13+1)
Description: Linux 7.2
 for 64-bit PCs
Size: 1900
SHA256: aa

Package: linux-image-7.2.13+deb14-amd64
Version: 7.2.13-1
SHA256: bb

Package: linux-image-7.2.13+deb14-cloud-amd64
Version: 7.2.13-1
SHA256: cc

Package: linux-image-6.1.0-50-amd64
Version: 6.1.176-1
Depends: kmod, linux-base (>= 4.3~)
SHA256: dd
`;

test('the newest image of a series comes first, other flavours are left out, split packages are followed', () => {
  const stanzas = parseStanzas(LIST);
  const images = imagesOf(stanzas, '7.2');
  assert.deepEqual(images.map((s) => s['Version']), ['7.2.13-1', '7.2.12-1~bpo13+1']);
  assert.deepEqual(partsOf(images[1]!).map((p) => p.name), ['linux-base-7.2.12+deb13-amd64', 'linux-binary-7.2.12+deb13-amd64', 'linux-modules-7.2.12+deb13-amd64']);
  assert.deepEqual(imagesOf(stanzas, '6.1').map((s) => s['Package']), ['linux-image-6.1.0-50-amd64']);
  assert.deepEqual(partsOf(imagesOf(stanzas, '6.1')[0]!), []);
});

test('a series is not the beginning of another', () => {
  assert.equal(fitsSeries('6.12.107-1', '6.1'), false);
  assert.equal(fitsSeries('6.12.107-1', '6.12'), true);
  assert.equal(fitsSeries('6.12.107-1', '6.12.107'), true);
  assert.equal(fitsSeries('6.12.107-1', '6.12.10'), false);
  assert.equal(fitsSeries('7.3~rc7-1~exp1', '7.3'), true);
});

test('versions are ordered as deb-version(7) says', () => {
  const sorted = ['1.0~rc1-1', '1.0-1~bpo13+1', '1.0-1', '1.0-1+b1', '1.0-2', '1.0.1-1', '1.10-1', '1:0.1-1'];
  for (let i = 0; i + 1 < sorted.length; i += 1) assert.ok(compareVersions(sorted[i]!, sorted[i + 1]!) < 0, `${sorted[i]} < ${sorted[i + 1]}`);
  fc.assert(fc.property(fc.stringMatching(/^[0-9a-z.~+-]{1,12}$/), fc.stringMatching(/^[0-9a-z.~+-]{1,12}$/), (a, b) => {
    assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0 || 0);
    assert.equal(compareVersions(a, a), 0);
  }));
});

test('the first alternative of a dependency counts', () => {
  assert.deepEqual(parseDepends('a | b, c:any (>= 1), d (= 2-1)'), [{ name: 'a' }, { name: 'c' }, { name: 'd', exactly: '2-1' }]);
});

test('the mirror is the one that apt has configured for Debian', () => {
  const lines = 'http://example.org/debian/|Debian|Debian|bookworm\nhttp://example.org/debian-security/|Debian|Debian-Security|bookworm-security\nhttp://other.example/|Other|Other|x\n';
  const mirror = mirrorFrom(lines);
  assert.deepEqual(mirror, { main: 'http://example.org/debian/', security: 'http://example.org/debian-security/' });
  assert.match(sourcesList(mirror!, '/k.gpg'), /^deb \[signed-by=\/k\.gpg\] http:\/\/example\.org\/debian\/ bullseye main$/m);
  assert.deepEqual(mirrorFrom('http://example.org/debian/|$(ORIGIN)|$(LABEL)|$(CODENAME)'), { main: 'http://example.org/debian/', security: null });
  assert.equal(mirrorFrom('http://other.example/ubuntu/|Ubuntu|Ubuntu|noble'), null);
});

test('no text makes the parser of stanzas crash', () => {
  fc.assert(fc.property(fc.string(), (text) => { for (const s of parseStanzas(text)) assert.ok(Object.keys(s).length > 0); }));
});
