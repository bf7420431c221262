import { readFileSync } from 'node:fs';
import { readLitmus } from './litmus/read.ts';
import { buildLitmus } from './litmus/build.ts';
import { BreadthFirst } from './breadth-first.ts';
import { explain } from './explain.ts';
import { Stepper } from './stepper.ts';
import { profileByName } from '../profile/select.ts';
const t = readLitmus(readFileSync(process.argv[2]!, 'utf8'), 'x');
const p = profileByName(process.argv[3] ?? '5.10')!;
const program = buildLitmus(t, p);
const stepper = new Stepper(program);
const v = new BreadthFirst(program, { now: () => performance.now(), all: true, stepper: stepper as never }).run();
console.log(v.stats, v.violations.map((x) => x.property + ' ' + x.schedule), v.complete, v.neverSeen);
console.log('columns', [...Array(stepper.state.columns).keys()].map((c) => { const a = stepper.state.address(c + stepper.state.threads); return a + ':' + (program.nameOf!(a) ?? '?'); }).join(', '));
for (const order of [[0, 1], [1, 0]]) {
  stepper.state.begin(stepper.roots);
  const way: { thread: number; ordinal: number }[] = [];
  let n = 0;
  for (const th of order) for (;;) { if (++n > 300) break; stepper.firstChoices(); stepper.state.mark(); if (!stepper.step(th)) break; stepper.state.mark(); way.push({ thread: th, ordinal: 0 }); }
  const { trace } = explain(program, stepper, way);
  for (const s of trace) console.log(s.thread, '|', s.from, '->', s.to, '| L', s.loads.map((l) => `${l.word}=${l.value}`).filter((x) => !/^word/.test(x)).join(' ').slice(0, 300), '| S', s.stores.map((l) => `${l.word}:${l.before}->${l.after}`).join(' '));
}
