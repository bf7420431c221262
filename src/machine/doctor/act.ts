/** What could be done: by this user, on this kernel. A capture tells what it can about the machine that it shows. */
import { isMissing, orElse } from '../../host/fact.ts';
import type { Host } from '../../host/host.ts';
import { check, checkAbsence, checkFact, checkRelease, tell, type Check } from './check.ts';

export function actChecks(host: Host): Check[] {
  return [changes(host), sysfs(host), state(host), lockdown(host),
    checkRelease(host, 'pidfd', [5, 3], 'pidfd', 'a signal cannot reach the wrong process', 'a pid is compared by start time before each signal'),
    tracing(host), detach(host), setns(host), memoryFailure(host), systemd(host), tools(host)];
}

function changes(host: Host): Check {
  if (host.kind === 'capture') return check('changes', 'missing', `${host.label} is read only`, 'removals are planned from it, not carried out');
  return host.actions === undefined ? check('changes', 'missing', 'this host cannot be changed', 'removals are planned, not carried out')
    : check('changes', 'ok', `${host.label} can be changed`, 'nothing changes without the device named as consent');
}

const has = (capabilities: readonly [number, number], bit: number): boolean => ((capabilities[bit >= 32 ? 1 : 0] >>> (bit % 32)) & 1) === 1;

function holdsCapability(host: Host, bit: number): boolean | undefined {
  const { capabilities } = host.identity;
  return isMissing(capabilities) ? undefined : has(capabilities, bit);
}

/** Options of the mount on which `path` lies, of the process that looks. */
function mountOptions(host: Host, path: string): string[] | undefined {
  const text = host.files.text('/proc/self/mountinfo');
  if (isMissing(text)) return undefined;
  const lines = text.split('\n').map((line) => line.split(' '));
  const over = (point: string): boolean => point === '/' || path === point || path.startsWith(`${point}/`);
  const best = lines.filter((fields) => over(fields[4] ?? '')).sort((a, b) => (a[4] ?? '').length - (b[4] ?? '').length).at(-1);
  return best?.[5]?.split(',');
}

function sysfs(host: Host): Check {
  const options = mountOptions(host, '/sys');
  const uid = orElse(host.identity.uid, undefined);
  if (options === undefined) return check('sysfs', 'unknown', 'how /sys is mounted is not known', 'unbind and offline are writes to it');
  if (options.includes('ro')) return check('sysfs', 'missing', '/sys is mounted read-only (a container?)', 'nothing can be unbound or taken offline from here');
  if (host.kind === 'live' && uid !== 0) return check('sysfs', 'missing', `/sys is writable for root alone, this is uid ${String(uid)}`, 'nothing can be unbound or taken offline by this user');
  return check('sysfs', 'ok', '/sys is mounted writable', 'drivers can be unbound, blocks taken offline');
}

function state(host: Host): Check {
  const places = ['/run', '/var/lib'];
  const lost = places.map((path) => host.files.stat(path)).find((fact) => isMissing(fact));
  if (lost !== undefined) return checkAbsence('journal', lost, 'missing', tell(lost), 'the journal of a removal lies in /run/unseat, its record in /var/lib/unseat', 'whether a journal can be kept there is not known');
  const closed = places.find((path) => mountOptions(host, path)?.includes('ro') === true);
  if (closed !== undefined) return check('journal', 'missing', `${closed} is mounted read-only`, 'a removal could not be resumed or rolled back: it is refused');
  if (host.kind === 'live' && orElse(host.identity.uid, 0) !== 0) return check('journal', 'missing', '/run and /var/lib are writable for root alone', 'a removal needs its journal there');
  return check('journal', 'ok', '/run and /var/lib can be written', 'a removal can be resumed, rolled back and recorded');
}

function lockdown(host: Host): Check {
  const path = '/sys/kernel/security/lockdown';
  const text = host.files.text(path);
  if (isMissing(text)) return text.missing === 'not-captured' ? check('lockdown', 'unknown', tell(text), 'whether root may write is not known') : check('lockdown', 'ok', 'no lockdown on this kernel', 'nothing is forbidden to root by it');
  const level = /\[(\w+)\]/.exec(text)?.[1] ?? text;
  if (level === 'none') return check('lockdown', 'ok', 'lockdown is none', 'nothing is forbidden to root by it');
  return check('lockdown', 'limited', `lockdown is ${level}`, level === 'integrity' ? 'writes that unseat makes are not affected' : 'some of what root could read is refused');
}

/** Yama's scopes: Documentation/admin-guide/LSM/Yama.rst. */
function tracing(host: Host): Check {
  const scope = host.files.text('/proc/sys/kernel/yama/ptrace_scope');
  const value = isMissing(scope) ? null : scope.trim();
  const told = value === null ? 'Yama is not there' : `yama/ptrace_scope is ${value}`;
  if (isMissing(scope) && scope.missing === 'not-captured') return check('ptrace', 'unknown', 'yama/ptrace_scope is not in the capture', '--detach needs ptrace');
  if (value === '3') return check('ptrace', 'missing', `${told}: nobody may trace, until reboot`, '--detach is not possible');
  const capable = holdsCapability(host, 19);
  if (capable === false) return check('ptrace', 'limited', `${told}, without CAP_SYS_PTRACE`, '--detach is not possible for processes of others');
  return check('ptrace', capable === undefined ? 'unknown' : 'ok', told, 'processes can be stopped and edited, unless another tracer or seccomp has them: plan says which');
}

function detach(host: Host): Check {
  return checkFact('detach', host.identity.arch, '--detach is for x86-64', (arch) => (arch === 'x86_64'
    ? check('detach', 'ok', 'the machine is x86_64', '--detach knows its registers and signal frames')
    : check('detach', 'missing', `the machine is ${arch}`, '--detach is for x86_64 only so far; --force and --kill work')));
}

function setns(host: Host): Check {
  const listed = checkRelease(host, 'namespaces', [6, 12], 'the list of mount namespaces', 'none can be missed, and each can be entered to unmount there',
    'a namespace kept only by a descriptor of a hidden process can be missed');
  if (holdsCapability(host, 21) === false) return check('namespaces', 'missing', 'entering mount namespaces needs CAP_SYS_ADMIN', 'mounts in other namespaces cannot be unmounted');
  return listed;
}

function memoryFailure(host: Host): Check {
  const path = '/sys/devices/system/memory/hard_offline_page';
  const without = '--force has no memory_failure to fall back to';
  const there = host.files.stat(path);
  // The file can only be written: one that nobody could read is there all the same.
  if (isMissing(there) && there.missing !== 'denied') return checkFact('memory-failure', there, without, () => check('memory-failure', 'ok', '', ''), 'whether --force can fall back to memory_failure is not known');
  const early = orElse(host.files.text('/proc/sys/vm/memory_failure_early_kill'), 'not known');
  return check('memory-failure', 'ok', `hard_offline_page is there, memory_failure_early_kill is ${early}`, '--force can fall back to it; only a second look at pagemap counts');
}

function systemd(host: Host): Check {
  const there = host.files.stat('/run/systemd/system');
  if (!isMissing(there)) return check('systemd', 'ok', 'systemd runs the machine', '--stop-units can stop holders by their unit');
  return checkAbsence('systemd', there, 'limited', 'systemd does not run here', '--stop-units is not possible; stop services by their own means', 'whether --stop-units is possible is not known');
}

/** Programs that take down what is stacked on a device. Needed only where such a thing is. */
const TOOLS = ['dmsetup', 'losetup', 'mdadm', 'vgchange'];

function tools(host: Host): Check {
  const wherever = (name: string): boolean => ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].some((directory) => !isMissing(host.files.stat(`${directory}/${name}`)));
  if (host.kind === 'capture') return check('tools', 'unknown', 'programs are not in a capture', 'dm, md and loop devices are taken down by dmsetup, mdadm and losetup');
  const lacking = TOOLS.filter((name) => !wherever(name));
  if (lacking.length === 0) return check('tools', 'ok', `${TOOLS.join(', ')} are installed`, 'what is stacked on a device can be taken down');
  return check('tools', 'limited', `not installed: ${lacking.join(', ')}`, 'where a device of that kind is stacked, take it down by hand');
}
