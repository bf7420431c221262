/** Many removals in one guest, one after the other; the device comes back between them. */
import type { FromHost } from '../../../channel/protocol.ts';
import { countFindings, findingsIn } from '../../../log-findings.ts';
import type { Guest } from '../machine.ts';
import { setUp, uptime } from '../run-scenario.ts';
import { churnRound, type RaceState } from './churn-round.ts';
import { generator } from './generator.ts';
import { killRound } from './kill-round.ts';
import { pauseRound } from './pause-round.ts';

const STOPS: readonly string[] = ['oops', 'bug', 'bad-page-map'];

export async function runRace(guest: Guest, { what, rounds, seed, seconds }: Extract<FromHost, { type: 'race' }>): Promise<void> {
  const from = guest.log.lines.length;
  let reason: string | null = null;
  try {
    await setUp(guest);
    guest.channel.send({ type: 'ready', facts: { seconds: uptime() } });
    const random = generator(seed);
    const until = performance.now() + seconds * 1000;
    const state: RaceState = { removalMs: 4000, carryingOutMs: 3000 };
    for (let n = 1; n <= rounds && performance.now() < until; n += 1) {
      const round = what === 'pause' ? await pauseRound(guest, n) : what === 'churn' ? await churnRound(guest, n, random, state) : await killRound(guest, n, random, state);
      if (round === null) break;
      guest.channel.send({ type: 'round', round });
      if ('status' in round && round.status === 'partly') throw new Error('a removal ended half way');
      guest.log.fresh();
      if (guest.log.lines.slice(from).some((line) => findingsIn(line).some((f) => STOPS.includes(f)))) throw new Error('the kernel log shows damage');
    }
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  guest.log.fresh();
  const lines = guest.log.lines.slice(from);
  guest.channel.send({ type: 'race-ended', reason, log: countFindings(lines), lines: lines.filter((line) => findingsIn(line).length > 0).slice(0, 60) });
}
