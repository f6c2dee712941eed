/**
 * Names of what a vCPU is made of: segment caches, descriptor-table registers, control registers
 * and their bits, exception vectors.
 */

/**
 * The CPU mode a guest starts in: real mode, flat 32-bit protected mode without paging, 32-bit
 * paging (two levels), PAE paging (three levels), or 64-bit mode with 4-level paging (SDM 3A 2.2
 * and 4.1.1).
 */
export type ModeName = "real" | "protected" | "paged" | "pae" | "long";

/** The modes with paging on. */
export type PagingMode = "paged" | "pae" | "long";

/**
 * A segment register with its hidden part, with the field names and the meanings of
 * `struct kvm_segment` (`KVM_GET_SREGS`); SDM 3A 3.4.3.
 */
export interface Segment {
  /** Linear base address, 64 bits. */
  readonly base: bigint;
  /** Last valid offset, in bytes whatever the granularity, 32 bits. */
  readonly limit: number;
  /** The visible selector, 16 bits, RPL included. */
  readonly selector: number;
  /** Type field of the descriptor, 4 bits (SDM 3A 3.4.5.1 and 3.5). */
  readonly type: number;
  /** P: 1 when the segment is present. */
  readonly present: number;
  /** Descriptor privilege level, 0 to 3. */
  readonly dpl: number;
  /** D/B: 1 for 32-bit default operand size or stack. */
  readonly db: number;
  /** S: 1 for a code or data segment, 0 for a system segment. */
  readonly s: number;
  /** L: 1 for 64-bit code. */
  readonly l: number;
  /** G: 1 when the descriptor's limit counts 4 KiB units. */
  readonly g: number;
  /** AVL: the bit that software may use. */
  readonly avl: number;
  /** 1 when the register holds no usable segment (a null selector was loaded). */
  readonly unusable: number;
}

/** GDTR or IDTR, as `struct kvm_dtable`: linear base and the last valid offset in bytes. */
export interface DescriptorTable {
  /** Linear address of entry 0, 64 bits. */
  readonly base: bigint;
  /** Last valid offset in bytes, 16 bits. */
  readonly limit: number;
}

/**
 * The special registers a mode fixes: `struct kvm_sregs` (`KVM_SET_SREGS`) without `apic_base` and
 * `interrupt_bitmap`, which belong to the interrupt controller and not to the mode.
 */
export interface SpecialRegisters {
  /** Code segment. */
  readonly cs: Segment;
  /** Data segment. */
  readonly ds: Segment;
  /** Extra data segment. */
  readonly es: Segment;
  /** FS segment. */
  readonly fs: Segment;
  /** GS segment. */
  readonly gs: Segment;
  /** Stack segment. */
  readonly ss: Segment;
  /** Task register. */
  readonly tr: Segment;
  /** Local descriptor table register. */
  readonly ldt: Segment;
  /** GDTR. */
  readonly gdt: DescriptorTable;
  /** IDTR. */
  readonly idt: DescriptorTable;
  /** CR0, bits in {@linkcode CR0}. */
  readonly cr0: bigint;
  /** CR2, the last page fault's linear address. */
  readonly cr2: bigint;
  /** CR3, the physical address of the top paging structure. */
  readonly cr3: bigint;
  /** CR4, bits in {@linkcode CR4}. */
  readonly cr4: bigint;
  /** CR8, the task priority (4 bits). */
  readonly cr8: bigint;
  /** IA32_EFER, bits in {@linkcode EFER}. */
  readonly efer: bigint;
}

/** Bits of CR0 (SDM 3A 2.5). */
export const CR0 = {
  PE: 0x1n,
  MP: 0x2n,
  EM: 0x4n,
  TS: 0x8n,
  ET: 0x10n,
  NE: 0x20n,
  WP: 0x10000n,
  AM: 0x40000n,
  NW: 0x20000000n,
  CD: 0x40000000n,
  PG: 0x80000000n,
} as const;

/** Bits of CR4 (SDM 3A 2.5). */
export const CR4 = {
  VME: 0x1n,
  PVI: 0x2n,
  TSD: 0x4n,
  DE: 0x8n,
  PSE: 0x10n,
  PAE: 0x20n,
  MCE: 0x40n,
  PGE: 0x80n,
  PCE: 0x100n,
  OSFXSR: 0x200n,
  OSXMMEXCPT: 0x400n,
  UMIP: 0x800n,
  LA57: 0x1000n,
  VMXE: 0x2000n,
  SMXE: 0x4000n,
  FSGSBASE: 0x10000n,
  PCIDE: 0x20000n,
  OSXSAVE: 0x40000n,
  KL: 0x80000n,
  SMEP: 0x100000n,
  SMAP: 0x200000n,
  PKE: 0x400000n,
  CET: 0x800000n,
  PKS: 0x1000000n,
  UINTR: 0x2000000n,
} as const;

/** Bits of IA32_EFER, MSR 0xc0000080 (SDM 3A 2.2.1; SVME and above: APM 2 3.1.7). */
export const EFER = {
  SCE: 0x1n,
  LME: 0x100n,
  LMA: 0x400n,
  NXE: 0x800n,
  SVME: 0x1000n,
  LMSLE: 0x2000n,
  FFXSR: 0x4000n,
  TCE: 0x8000n,
} as const;

/** Bits of RFLAGS (SDM 1 3.4.3); `FIXED` is bit 1, which always reads 1, `IOPL` both its bits. */
export const RFLAGS = {
  CF: 0x1n,
  FIXED: 0x2n,
  PF: 0x4n,
  AF: 0x10n,
  ZF: 0x40n,
  SF: 0x80n,
  TF: 0x100n,
  IF: 0x200n,
  DF: 0x400n,
  OF: 0x800n,
  IOPL: 0x3000n,
  NT: 0x4000n,
  RF: 0x10000n,
  VM: 0x20000n,
  AC: 0x40000n,
  VIF: 0x80000n,
  VIP: 0x100000n,
  ID: 0x200000n,
} as const;

/** Exception and interrupt vectors by their mnemonics (SDM 3A 6.3.1). */
export const exceptionVectors = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
  VE: 20,
  CP: 21,
} as const;

/** Bits of a page fault's error code (SDM 3A 4.7). */
export const pageFaultError = {
  /** The fault came from a protection violation, not from an entry that is not present. */
  P: 0x1,
  /** The access was a write. */
  W: 0x2,
  /** The access was made in user mode. */
  U: 0x4,
  /** A reserved bit was set in an entry. */
  RSVD: 0x8,
  /** The access was an instruction fetch. */
  I: 0x10,
} as const;

/** Bits of DR6 (SDM 3B 18.2.3); `BLD` and `RTM` read 1 where nothing of the kind happened. */
export const DR6 = {
  B0: 0x1n,
  B1: 0x2n,
  B2: 0x4n,
  B3: 0x8n,
  BLD: 0x800n,
  BD: 0x2000n,
  BS: 0x4000n,
  BT: 0x8000n,
  RTM: 0x10000n,
} as const;

/** Bits of DR7 (SDM 3B 18.2.4); the type and size of breakpoint N are bits 16 + 4N to 19 + 4N. */
export const DR7 = {
  L0: 0x1n,
  G0: 0x2n,
  L1: 0x4n,
  G1: 0x8n,
  L2: 0x10n,
  G2: 0x20n,
  L3: 0x40n,
  G3: 0x80n,
  LE: 0x100n,
  GE: 0x200n,
  RTM: 0x800n,
  GD: 0x2000n,
} as const;

/** Bits of XCR0: the state components that XSAVE keeps (SDM 1 13.1; SDM 3A 2.6). */
export const XCR0 = {
  X87: 0x1n,
  SSE: 0x2n,
  AVX: 0x4n,
  BNDREGS: 0x8n,
  BNDCSR: 0x10n,
  OPMASK: 0x20n,
  ZMM_HI256: 0x40n,
  HI16_ZMM: 0x80n,
  PKRU: 0x200n,
  TILECFG: 0x20000n,
  TILEDATA: 0x40000n,
} as const;

/**
 * The names of the bits that are set in a register, lowest first; bits without a name as one number.
 *
 * @param bits a table of names, such as {@linkcode CR0}
 * @param value the register
 *
 * @example
 * ```ts
 * import { bitNames, CR0 } from "@trapline/trapline";
 *
 * console.log(bitNames(CR0, 0x80000031n)); // ["PE", "ET", "NE", "PG"]
 * ```
 */
export function bitNames(bits: Readonly<Record<string, bigint>>, value: bigint): string[] {
  const names: string[] = [];
  let rest = value;
  for (const [name, bit] of Object.entries(bits).sort(([, a], [, b]) => a < b ? -1 : 1)) {
    if ((value & bit) === 0n) continue;
    names.push(name);
    rest &= ~bit;
  }
  return rest === 0n ? names : [...names, `0x${rest.toString(16)}`];
}
