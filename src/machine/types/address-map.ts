import type { PhysRange } from '../../range/phys-range.ts';

/** A line of /proc/iomem with what is nested in it. Source: kernel/resource.c, r_show(). */
export interface Resource extends PhysRange {
  readonly name: string;
  readonly children: readonly Resource[];
}

export interface AddressMap {
  /** Top-level resources in address order. Empty when `hidden` or not readable. */
  readonly resources: readonly Resource[];
  /** True when the kernel printed zeros instead of addresses (reader without CAP_SYS_ADMIN). */
  readonly hidden: boolean;
}
