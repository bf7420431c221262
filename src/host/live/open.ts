/** The live machine as a host. */
import type { Host } from '../host.ts';
import { orElse } from '../fact.ts';
import { LiveActions } from './actions.ts';
import { LiveFiles } from './files.ts';
import { Helpers } from './helpers.ts';
import { LiveIdentity } from './identity.ts';
import { LiveKernelLog } from './kernel-log.ts';
import { LiveMountNamespaces } from './mount-namespaces.ts';
import { LiveProcesses } from './processes.ts';
import { liveTime } from './time.ts';
import { traceFacet } from './tracer/client.ts';

export function openLive(): Host {
  const files = new LiveFiles();
  const identity = new LiveIdentity(files);
  const processes = new LiveProcesses(files, orElse(identity.pageSize, 4096));
  const mounts = new LiveMountNamespaces(files, processes);
  const helpers = new Helpers();
  const trace = traceFacet();
  const log = new LiveKernelLog();
  return {
    kind: 'live',
    label: 'this machine',
    identity,
    files,
    processes,
    mounts,
    log,
    time: liveTime,
    actions: new LiveActions(files, processes, mounts, helpers),
    trace,
    close: () => {
      helpers.close();
      trace.close();
      processes.close();
      files.close();
      log.close();
    },
  };
}
