import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { monitorOf } from './monitors.ts';
import { parseDaxctlConfig } from './services.ts';
import { actingRules, mayConcern, parseUdevRules } from './udev-rules.ts';

const acting = (text: string) => actingRules(parseUdevRules(text)).map((r) => [r.line, r.subsystem, r.onlines]);

test('a rule that puts memory online, in one line', () => {
  assert.deepEqual(acting('# memory\nSUBSYSTEM=="memory", ACTION=="add", ATTR{state}=="offline", ATTR{state}="online"\n'), [[2, 'memory', 'online']]);
});

test('the same behind a GOTO gate, and only up to its label', () => {
  assert.deepEqual(acting(`SUBSYSTEM!="memory", GOTO="end"
ACTION!="add", GOTO="end"
ATTR{state}=="offline", \\
  ATTR{state}="online_movable"
LABEL="end"
ATTR{power/control}="auto"
`), [[3, 'memory', 'online_movable']]);
});

test('a program that is run for dax devices, by RUN or as a service', () => {
  assert.deepEqual(acting('ACTION=="add", SUBSYSTEM=="dax", ENV{SYSTEMD_WANTS}="daxdev-reconfigure@$env{DEVNAME}.service"\nSUBSYSTEM=="nd|dax", RUN+="/bin/true"\n').map((r) => r[1]), ['dax', 'dax']);
});

test('rules of other subsystems, matches only, and names only are no rivals', () => {
  assert.deepEqual(acting('SUBSYSTEM=="block", KERNEL=="pmem*", RUN+="x"\nSUBSYSTEM=="memory", ATTR{state}=="offline"\nSUBSYSTEM=="nd", SYMLINK+="x"\nSUBSYSTEM!="memory", ATTR{state}="online"\n'), []);
});

test('a file is passed over only where no rule in it can act', () => {
  const word = fc.constantFrom('SUBSYSTEM', 'SUBSYSTEMS', 'DEVPATH', 'RUN', 'ATTR{state}', 'GOTO', 'LABEL', '==', '!=', '+=', '=', ' ', ', ', '\n', '\\\n', '"memory"', '"n?"', '"da*"', '"usb|cxl"', '"[mn]*"', '"end"', '"/devices/system/memory/memory1"', 'e"nd"', '"block"');
  fc.assert(fc.property(fc.array(word, { maxLength: 24 }), (words) => {
    const text = words.join('');
    assert.ok(mayConcern(text) || actingRules(parseUdevRules(text)).length === 0, text);
  }), { numRuns: 3000 });
  assert.equal(mayConcern('SUBSYSTEM \\\n  == "mem\\\nory", RUN+="x"\n'), true, 'a rule goes on after a backslash');
  assert.equal(mayConcern('SUBSYSTEM=="block", KERNEL=="dm-*", RUN+="x"\n'), false);
});

test('any text is read without a throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void acting(text)));
  fc.assert(fc.property(fc.array(fc.constantFrom('SUBSYSTEM', '==', '!=', '="', '"', 'memory', 'GOTO', '{state}', ',', '\\\n', '\n', ' ')), (words) => void acting(words.join(''))));
});

test('monitors by name, scripts by what the interpreter runs, others not', () => {
  assert.equal(monitorOf('atop', () => '')?.reads, 'smaps_rollup');
  assert.equal(monitorOf('python3', () => 'python3\0-u\0/usr/bin/ps_mem.py\0')?.program, 'ps_mem.py');
  assert.equal(monitorOf('python3', () => 'python3\0/usr/bin/server.py\0'), null);
  assert.equal(monitorOf('sshd', () => { throw new Error('the command line is read only for interpreters'); }), null);
});

test('daxctl configuration sections', () => {
  assert.deepEqual(parseDaxctlConfig('# x\n[reconfigure-device dax0]\nnvdimm.uuid = 1-2\nmode = system-ram\n'), [{ name: 'reconfigure-device dax0', settings: ['nvdimm.uuid=1-2', 'mode=system-ram'] }]);
});
