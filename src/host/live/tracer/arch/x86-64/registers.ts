/**
 * `struct user_regs_struct` as PTRACE_GETREGS fills it (arch/x86/include/uapi/asm/ptrace.h, asm/user_64.h): 27 words of
 * eight bytes.
 */
export const REGISTER_NAMES = [
  'r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi', 'orig_rax', 'rip', 'cs', 'eflags',
  'rsp', 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs',
] as const;

export type RegisterName = (typeof REGISTER_NAMES)[number];

export const REGISTER_BYTES = REGISTER_NAMES.length * 8;

const OFFSET: Readonly<Record<RegisterName, number>> = Object.fromEntries(REGISTER_NAMES.map((name, i) => [name, i * 8])) as Record<RegisterName, number>;

/** The registers of one thread, over the bytes that ptrace reads and writes. */
export class Registers {
  readonly bytes: Buffer;

  constructor(bytes: Buffer = Buffer.alloc(REGISTER_BYTES)) {
    this.bytes = bytes;
  }

  get(name: RegisterName): bigint {
    return this.bytes.readBigUInt64LE(OFFSET[name]);
  }

  set(name: RegisterName, value: bigint): void {
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), OFFSET[name]);
  }

  /** For addresses, which fit in 2^53 in user space. */
  address(name: RegisterName): number {
    return Number(this.get(name));
  }

  /** The value as the kernel's `long`; exact within 2^53, which covers addresses and errors. */
  signed(name: RegisterName): number {
    return Number(this.bytes.readBigInt64LE(OFFSET[name]));
  }

  copy(): Registers {
    return new Registers(Buffer.from(this.bytes));
  }
}

/** `cs` of 64-bit user code (__USER_CS); 0x23 is 32-bit code (__USER32_CS). */
export const USER_CS = 0x33n;
/** `ss` of user code (__USER_DS). */
export const USER_DS = 0x2bn;
