/** How the declared file systems are made and mounted. Pure. */
import type { Filesystem } from '../../scenario/layout.ts';

export function mkfsArguments(f: Filesystem): [string, string[]] {
  if (f.type === 'ext4') return ['mkfs.ext4', ['-q', '-F', '-b', '4096', ...f.mkfs]];
  const features = `reflink=${f.reflink ? 1 : 0},rmapbt=${f.rmapbt ? 1 : 0}`;
  const layout = f.aligned ? ['-d', `su=2m,sw=1,agcount=${f.groups}`, '-l', 'su=4096'] : ['-d', `agcount=${f.groups}`];
  return ['mkfs.xfs', ['-q', '-f', ...layout, '-m', features, ...f.mkfs]];
}

export const mountOptions = (f: Filesystem): string => [...(f.dax === 'never' && f.type === 'ext4' ? [] : [`dax=${f.dax}`]), ...f.options].join(',');
