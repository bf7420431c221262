/**
 * One run of the real removal engine on a fresh simulated machine, with the deeds of other processes at given places:
 * before which host call each is done. What is left over is done when the engine has ended. Where a deed is the engine's
 * own death, it is started again, to go on from its journal or to put back; its calls are counted on.
 */
import { simulatedHost } from '../../kernel/host/sim-host.ts';
import { buildScenario } from '../../kernel/scenario/build.ts';
import type { BuiltScenario } from '../../kernel/scenario/built.ts';
import type { Host } from '../../host/host.ts';
import { Crashed } from '../../host/recording/fault.ts';
import { remove, resume, rollback } from '../../remove/engine/run.ts';
import { findJournals } from '../../remove/journal/journal.ts';
import type { RemovalRecord } from '../../remove/record.ts';
import { reserveRoom } from '../litmus/machine.ts';
import { Actors, deedText, type AfterDeath } from './actors.ts';
import { Footprint, footprintOf } from './footprint.ts';
import type { EngineCase } from './engine-case.ts';
import { wrongWith } from './properties.ts';
import { watchedHost, type CallKind } from './watched-host.ts';

/** A deed of `actor` before host call number `at`, counted from 0. */
export interface Placed {
  readonly at: number;
  readonly actor: number;
}

export interface RunResult {
  /** By host call from the last placed deed on: actors that could do something before it. */
  readonly ready: readonly { readonly at: number; readonly actors: readonly number[] }[];
  /**
   * `whole`: it ran to its end. `same-as-later`: the last deed does not matter to the call after it, so a run with the
   * deed placed one later comes to the same. `same-as-swapped`: two deeds in a row that do not matter to each other.
   */
  readonly was: 'whole' | 'same-as-later' | 'same-as-swapped';
  readonly calls: number;
  /** What is wrong at the end; empty where nothing is. */
  readonly wrong: readonly string[];
  readonly status: string;
  /** Who did what, in order: host calls and deeds. */
  readonly story: readonly string[];
  /** Everything that is left, for comparing runs. */
  readonly built: BuiltScenario;
  readonly record: RemovalRecord | null;
}

/** Ends a run that another one stands for. */
class Redundant extends Error {}

export async function runOnce(test: EngineCase, placed: readonly Placed[], prune: boolean): Promise<RunResult> {
  const built = buildScenario(test.scenario, test.profile);
  // What is watched takes no new memory for its slabs.
  reserveRoom(built.world.k);
  const run = new Run(test, built, placed, prune);
  let record: RemovalRecord | null = null;
  let thrown: string | null = null;
  try {
    record = await lives(test, watchedHost(test.hostFor(simulatedHost(built.world)), run), run);
  } catch (error) {
    if (run.was === 'whole') thrown = error instanceof Error ? error.message : String(error);
  }
  run.finish();
  return { ready: run.ready, was: run.was, calls: run.calls, status: record?.status ?? (thrown !== null ? 'threw' : run.died === null ? 'redundant' : 'nothing-to-go-on-with'), story: run.story, built, record,
    wrong: run.was === 'whole' ? [...(thrown === null ? [] : [`the engine threw: ${thrown}`]), ...wrongWith(test, built, record)] : [] };
}

/** The removal, and after its death what a person would start next; null where it died with nothing in its journal. */
async function lives(test: EngineCase, host: Host, run: Run): Promise<RemovalRecord | null> {
  try {
    return await remove(host, test.plan, test.way, test.deviceNumbers);
  } catch (error) {
    if (!(error instanceof Crashed)) throw error;
  }
  run.startAgain();
  const [journal] = findJournals(host);
  if (journal === undefined) return null;
  return run.died === 'rollback' ? rollback(host, journal.path, journal.content) : resume(host, journal.path, journal.content);
}

class Run {
  calls = 0;
  was: RunResult['was'] = 'whole';
  readonly ready: { at: number; actors: number[] }[] = [];
  readonly story: string[] = [];
  private readonly built: BuiltScenario;
  private readonly actors: Actors;
  private readonly placed: readonly Placed[];
  private readonly prune: boolean;
  private next = 0;
  /** The engine that died has not been started again yet: it can do nothing more. */
  private dead = false;
  private startedAgain = false;
  /** What the deed just done touched, until the next event has been held against it. */
  private last: { readonly actor: number; readonly footprint: Footprint } | null = null;

  constructor(test: EngineCase, built: BuiltScenario, placed: readonly Placed[], prune: boolean) {
    this.built = built;
    this.actors = new Actors(built, test.actors);
    this.placed = placed;
    this.prune = prune;
  }

  call(name: string, kind: CallKind, go: () => unknown): unknown {
    if (this.was !== 'whole') throw new Redundant();
    if (this.dead) throw new Crashed(this.calls);
    const at = this.calls;
    this.calls += 1;
    this.deedsAt(at);
    if (this.died !== null && !this.startedAgain) {
      // Whether it dies before a look or after it is all the same to everybody else.
      if (this.prune && kind === 'looks') throw this.redundant('same-as-later');
      // Nothing of a second life can be put before the death.
      if (this.last !== null && this.actors.actors[this.last.actor]?.who === 'unseat') this.last = null;
      this.dead = true;
      throw new Crashed(at);
    }
    this.story.push(name);
    const { last } = this;
    this.last = null;
    if (last === null || !this.prune || kind === 'acts') return go();
    if (kind === 'own') throw this.redundant('same-as-later');
    const { value, footprint } = footprintOf(this.built.world.k.heap, go);
    if (footprint.isApartFrom(last.footprint)) throw this.redundant('same-as-later');
    return value;
  }

  get died(): AfterDeath | null {
    return this.actors.died;
  }

  startAgain(): void {
    this.startedAgain = true;
    this.dead = false;
    this.story.push(`  unseat: ${this.died ?? ''}`);
  }

  /** The deeds that were not placed, actor by actor, after the engine has ended. */
  finish(): void {
    if (this.was !== 'whole') return;
    this.actors.over = true;
    try {
      this.deedsAt(this.calls);
    } catch (error) {
      if (error instanceof Redundant) return;
      throw error;
    }
    for (let ready = this.actors.ready(); ready.length > 0; ready = this.actors.ready()) this.act(ready[0] as number);
  }

  private deedsAt(at: number): void {
    for (; this.next < this.placed.length && this.placed[this.next]?.at === at; this.next += 1) {
      const actor = (this.placed[this.next] as Placed).actor;
      if (!this.actors.ready().includes(actor)) throw new Error(`actor ${actor} was ready at call ${at} before and is not now: the run is not repeatable`);
      const before = this.last;
      const footprint = this.act(actor);
      // Of two deeds in a row that are apart, the one of the first actor comes first.
      if (this.prune && before !== null && actor < before.actor && footprint.isApartFrom(before.footprint)) throw this.redundant('same-as-swapped');
      this.last = { actor, footprint };
    }
    if (this.next === this.placed.length) this.ready.push({ at, actors: this.actors.ready() });
  }

  private act(actor: number): Footprint {
    this.story.push(`  ${deedText(this.actors.actors[actor] as NonNullable<(typeof this.actors.actors)[number]>, this.actors.done[actor] as number)}`);
    return footprintOf(this.built.world.k.heap, () => this.actors.act(actor)).footprint;
  }

  private redundant(was: RunResult['was']): Redundant {
    this.was = was;
    return new Redundant();
  }
}
