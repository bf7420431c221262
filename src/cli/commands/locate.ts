/** `unseat remove DEVICE --locate`: blinks the slot of the device, and removes nothing. */
import { EXIT } from '../../errors/codes.ts';
import { UnseatError } from '../../errors/unseat-error.ts';
import type { Host } from '../../host/host.ts';
import { findDevice } from '../../machine/devices/find.ts';
import { readMachine } from '../../machine/read.ts';
import { lightsOf, setLights } from '../../remove/locate.ts';
import type { Output } from '../print/output.ts';

/** What ends holders or asks for consent makes no sense beside it. */
const OTHERS = ['detach', 'force', 'kill', 'wait', 'stopUnits', 'accept', 'yes'] as const;

export async function locate(host: Host, name: string, options: Readonly<Record<string, unknown>>, out: Output): Promise<number> {
  const word = options['locate'];
  if (word !== true && word !== 'on' && word !== 'off') throw new UnseatError('USAGE', '--locate takes on or off', { seen: String(word), next: 'Write unseat remove DEVICE --locate, or --locate=off.' });
  const others = OTHERS.filter((o) => options[o] !== undefined);
  if (others.length > 0) throw new UnseatError('USAGE', '--locate only sets a light and goes with no way of removal', { seen: others.join(', ') });
  const dry = options['dryRun'] === true;
  const machine = readMachine(host, { rivals: false });
  const device = findDevice(machine, name);
  const lights = lightsOf(machine, device, word !== 'off');
  if (!dry) await setLights(host, device, lights);
  if (out.options.json) out.json({ device: device.id, dryRun: dry, lights });
  else out.text(lights.map((l) => `${device.name} sits in slot ${l.slot}${l.address === null ? '' : ` (${l.address})`}: ${dry ? 'would write' : 'wrote'} ${l.text} to ${l.path} (${l.text === '0' ? 'light off' : 'light blinks'}; it read ${l.was})`).join('\n'));
  return EXIT.ok;
}
