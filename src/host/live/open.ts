/** The live machine as a host. */
import type { Host } from '../host.ts';
import { orElse } from '../fact.ts';
import { LiveFiles } from './files.ts';
import { LiveIdentity } from './identity.ts';
import { LiveKernelLog } from './kernel-log.ts';
import { LiveMountNamespaces } from './mount-namespaces.ts';
import { LiveProcesses } from './processes.ts';
import { liveTime } from './time.ts';

export function openLive(): Host {
  const files = new LiveFiles();
  const identity = new LiveIdentity(files);
  const processes = new LiveProcesses(files, orElse(identity.pageSize, 4096));
  const log = new LiveKernelLog();
  return {
    kind: 'live',
    label: 'this machine',
    identity,
    files,
    processes,
    mounts: new LiveMountNamespaces(files, processes),
    log,
    time: liveTime,
    close: () => {
      files.close();
      log.close();
    },
  };
}
