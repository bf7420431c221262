/** Errno values of include/uapi/asm-generic/errno-base.h and errno.h; paths return them negated. */
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EROFS = 30;
export const ESPIPE = 29;
export const ERANGE = 34;
export const EOPNOTSUPP = 95;
export const EPROBE_DEFER = 517;

const NAMES: Readonly<Record<number, string>> = {
  [EPERM]: 'EPERM', [ENOENT]: 'ENOENT', [EINTR]: 'EINTR', [EIO]: 'EIO', [ENXIO]: 'ENXIO', [EBADF]: 'EBADF', [EAGAIN]: 'EAGAIN', [ENOMEM]: 'ENOMEM',
  [EFAULT]: 'EFAULT', [EBUSY]: 'EBUSY', [EEXIST]: 'EEXIST', [ENODEV]: 'ENODEV', [EINVAL]: 'EINVAL', [ENOSPC]: 'ENOSPC', [EROFS]: 'EROFS', [ESPIPE]: 'ESPIPE', [ERANGE]: 'ERANGE',
  [EOPNOTSUPP]: 'EOPNOTSUPP', [EPROBE_DEFER]: 'EPROBE_DEFER',
};

/** `EBUSY` for -16 or 16; `ok` for 0 and above where `value` is a result. */
export const errnoName = (value: number): string => (value === 0 ? 'ok' : (NAMES[Math.abs(value)] ?? `errno ${Math.abs(value)}`));
