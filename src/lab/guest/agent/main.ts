/** The agent: the program that runs inside a lab guest. It runs one scenario after another, as the host asks. */
import { readFileSync } from 'node:fs';
import { GuestChannel } from './channel.ts';
import { KernelLog } from './kmsg.ts';
import { runScenario, uptime } from './run-scenario.ts';

const channel = new GuestChannel();
const log = new KernelLog();
channel.send({ type: 'hello', release: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(), seconds: uptime() });
for (;;) {
  const asked = await channel.awaitRun();
  log.fresh();
  await runScenario({ scenario: asked.scenario, channel, log, devices: new Map(), holders: new Map(), unseat: process.argv[2] ?? '' }, asked);
}
