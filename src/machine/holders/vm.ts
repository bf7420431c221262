/** Which holders are virtual machines: by program, and by the descriptors that KVM gives out (virt/kvm/kvm_main.c). */
import type { ByteString } from '../../host/host.ts';
import type { OpenFile } from '../../host/processes.ts';

/** Programs by the base name of their executable, the first argument, or the 15 bytes of their name. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/^(?:qemu-system-\w+|qemu-kvm|qemu-system-.*|kvm)$/, 'qemu'],
  [/^cloud-hyperviso?r?$/, 'cloud-hypervisor'],
  [/^firecracker(?:-.*)?$/, 'firecracker'],
  [/^crosvm(?:_.*)?$/, 'crosvm'],
];

export const isKvmVm = (file: OpenFile): boolean => file.target.startsWith('anon_inode:kvm-vm');

export interface VmTraits {
  readonly comm: ByteString;
  readonly commandLine: ByteString;
  readonly exe: ByteString | null;
  readonly files: readonly OpenFile[];
}

/** Null where nothing says that it is one. A process with an open VM is one, whatever its name. */
export function vmOf({ comm, commandLine, exe, files }: VmTraits): { program: string; evidence: string } | null {
  const names = [exe, commandLine.split(' ')[0], comm].filter((name) => name != null).map((name) => (name as string).split('/').at(-1)?.replace(/ \(deleted\)$/, '') ?? '');
  const program = PROGRAMS.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
  const fds = files.filter(isKvmVm);
  if (program === undefined && fds.length === 0) return null;
  const evidence = fds.length > 0 ? fds.map((file) => `fd ${file.fd} ${file.target}`).join(', ') : `its program is ${program}`;
  return { program: program ?? (names.find((name) => name !== '') ?? 'unknown'), evidence };
}
