/** Runs whole lines one after the other, as user space can force them, and looks whether the forbidden outcome comes all the same. */
import type { Kernel } from '../../kernel/kernel.ts';
import type { Tap } from '../../kernel/state/heap.ts';
import type { Profile } from '../../profile/profile.ts';
import { buildLitmus } from '../litmus/build.ts';
import type { Litmus } from '../litmus/schema.ts';
import type { Program, Property } from '../program.ts';
import { Stepper } from '../stepper.ts';
import type { Violation } from '../verdict.ts';
import type { LineSpan } from './line-spans.ts';

/** Steps of one line: a path that takes more goes round for ever. */
const MOST_STEPS = 100_000;

export type LineEnding = 'returned' | 'waits' | 'oops';

export interface CoarseRun {
  /** How each line of the order ended when its turn was over. One that waits may end in a later turn. */
  readonly endings: readonly LineEnding[];
  /** Whether the outcome is seen between two lines, or at the end. */
  readonly shows: boolean;
}

/** Null where the order cannot be run: a thread that still waits would have to begin its next line. */
export function runCoarse(test: Litmus, profile: Profile, order: readonly LineSpan[], wanted: Pick<Violation, 'property' | 'kind'>): CoarseRun | null {
  const program = buildLitmus(test, profile, 'apart');
  const run = new Run(program);
  const endings: LineEnding[] = [];
  let shows = false;
  for (const { thread } of order) {
    const number = program.threads.findIndex((t) => t.name === thread);
    if (run.inside.has(number) || run.stepper.isOver(number)) return null;
    const ending = run.line(number);
    endings.push(ending);
    run.othersGoOn();
    shows ||= (ending === 'oops' && wanted.kind === 'oops') || (wanted.kind === 'never' && run.holds(wanted.property));
    if (shows) break;
  }
  if (!shows && wanted.kind === 'oops') shows = program.threads.some((_, t) => run.stepper.oops(t) !== undefined);
  if (!shows && wanted.kind === 'hang') shows = program.threads.some((t, i) => t.daemon !== true && run.inside.has(i));
  if (!shows && wanted.kind === 'finally') shows = !run.holds(wanted.property);
  return { endings, shows };
}

class Run {
  readonly program: Program<Kernel>;
  readonly stepper: Stepper<Kernel>;
  /** Threads that wait in the middle of a line. */
  readonly inside = new Set<number>();

  constructor(program: Program<Kernel>) {
    this.program = program;
    this.stepper = new Stepper(program);
    this.stepper.state.begin(this.stepper.roots);
  }

  /** To the end of the line that the thread stands before or in. */
  line(thread: number): LineEnding {
    const { stepper } = this;
    this.inside.delete(thread);
    for (let i = 0; i < MOST_STEPS; i += 1) {
      if (!this.step(thread)) break;
      if (stepper.oops(thread) !== undefined) return 'oops';
      if (stepper.isOver(thread) || /^line \d+$/.test(stepper.label(thread))) return 'returned';
    }
    this.inside.add(thread);
    return 'waits';
  }

  /** Daemons do what there is for them; lines that waited are taken up again, until nobody moves any more. */
  othersGoOn(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const [t, { daemon }] of this.program.threads.entries()) if (daemon === true) while (!this.stepper.isOver(t) && this.step(t)) moved = true;
      for (const t of [...this.inside]) {
        if (!this.step(t)) continue;
        moved = true;
        if (this.stepper.isOver(t) || /^line \d+$/.test(this.stepper.label(t))) this.inside.delete(t);
        else this.line(t);
      }
    }
  }

  holds(name: string): boolean {
    const property = this.program.properties.find((p) => p.name === name) as Property<Kernel>;
    const { heap } = this.program.context;
    const { state } = this.stepper;
    heap.tap = { ...NOTHING_ELSE, load: (address) => state.read(address) };
    try {
      return property.holds(this.program.context, (t) => this.stepper.result(t));
    } finally {
      heap.tap = null;
    }
  }

  /** The first of every choice: what user space can force is what comes without luck. */
  private step(thread: number): boolean {
    this.stepper.firstChoices();
    this.stepper.state.mark();
    const moved = this.stepper.step(thread);
    this.stepper.state.mark();
    return moved;
  }
}

const no = (): never => {
  throw new Error('a property may only read');
};
const NOTHING_ELSE: Omit<Tap, 'load'> = { store: no, enter: no, leave: no, round: no, choose: no };
