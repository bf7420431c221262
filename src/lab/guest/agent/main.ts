/** The agent: the program that runs inside a lab guest. It runs one scenario after another, as the host asks. */
import { readFileSync } from 'node:fs';
import { GuestChannel } from './channel.ts';
import { KernelLog } from './kmsg.ts';
import { runRace } from './race/run-race.ts';
import { runScenario, uptime } from './run-scenario.ts';

const channel = new GuestChannel();
const log = new KernelLog();
channel.send({ type: 'hello', release: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(), seconds: uptime() });
for (;;) {
  const asked = await channel.awaitOrder();
  log.fresh();
  const guest = { scenario: asked.scenario, channel, log, devices: new Map(), holders: new Map(), unseat: process.argv[2] ?? '' };
  if (asked.type === 'run') await runScenario(guest, asked);
  else await runRace(guest, asked);
}
