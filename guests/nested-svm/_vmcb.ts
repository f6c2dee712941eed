/** Guests that are hypervisors: they run another guest with AMD's SVM (APM 2 chapter 15). */

import type { Requirement } from "../../mod.ts";

/** Where the VMCB lies, and the host save area. */
export const VMCB = 0xb000;
/** The host save area (VM_HSAVE_PA). */
export const HSAVE = 0xc000;

/** What a host must have: kvm-amd with its own nested virtualization. */
export const requires: readonly Requirement[] = [{ backend: ["svm"] }, { cpuid: "SVM" }];

/** Hosts whose guests have nested paging for theirs too. */
export const requiresNestedPaging: readonly Requirement[] = [...requires, { cpuid: "NPT" }];

/** Bits of the intercept vectors, by the word of the VMCB that they are in (APM 2 appendix B). */
export interface Intercepts {
  /** Offset 0: reads of CR0 to CR15 in bits 0 to 15, writes above. */
  readonly cr?: number;
  /** Offset 4: the same of debug registers. */
  readonly dr?: number;
  /** Offset 8: exceptions by vector. */
  readonly exceptions?: number;
  /** Offset 0xc: INTR in bit 0 to shutdown in bit 31. */
  readonly first?: number;
  /** Offset 0x10: VMRUN in bit 0, VMMCALL in bit 1, and on. VMRUN is always added. */
  readonly second?: number;
}

/** A VMCB's fields that do not have their default. */
export interface VmcbFields extends Intercepts {
  readonly rip: bigint;
  readonly rsp?: bigint;
  readonly rax?: bigint;
  readonly rflags?: bigint;
  readonly cr0?: bigint;
  readonly cr3?: bigint;
  readonly cr4?: bigint;
  readonly efer?: bigint;
  readonly dr6?: bigint;
  readonly dr7?: bigint;
  /** 0 is invalid. */
  readonly asid?: number;
  readonly eventInjection?: bigint;
  /** Where the bitmaps of ports and of MSRs lie. */
  readonly portMap?: number | bigint;
  readonly msrMap?: number | bigint;
  /** The top of the nested page tables, which it switches on. */
  readonly nestedCr3?: bigint;
  /** VMRUN is not intercepted, which is invalid. */
  readonly vmrunNotIntercepted?: true;
  /** Further fields, 64 bits each, by offset. */
  readonly other?: Readonly<Record<number, bigint>>;
}

/** The 4 KiB of a VMCB whose guest runs in the host's own 64-bit mode, at CPL 0. */
export function vmcb(fields: VmcbFields): Uint8Array {
  const view = new DataView(new ArrayBuffer(0x1000));
  const u32 = (offset: number, value: number) => view.setUint32(offset, value, true);
  const u64 = (offset: number, value: bigint | number) =>
    view.setBigUint64(offset, BigInt(value), true);
  u32(0x0, fields.cr ?? 0);
  u32(0x4, fields.dr ?? 0);
  u32(0x8, fields.exceptions ?? 0);
  u32(0xc, fields.first ?? 0);
  u32(0x10, (fields.second ?? 0) | (fields.vmrunNotIntercepted ? 0 : 1));
  u64(0x40, fields.portMap ?? 0);
  u64(0x48, fields.msrMap ?? 0);
  u32(0x58, fields.asid ?? 1);
  u64(0xa8, fields.eventInjection ?? 0n);
  const segment = (offset: number, selector: number, attributes: number, base = 0, limit = -1) => {
    view.setUint16(offset, selector, true);
    view.setUint16(offset + 2, attributes, true);
    u32(offset + 4, limit >>> 0);
    u64(offset + 8, base);
  };
  for (const offset of [0x400, 0x420, 0x430, 0x440, 0x450]) segment(offset, 0x30, 0xc93);
  segment(0x410, 0x28, 0xa9b);
  segment(0x460, 0, 0, 0x1000, 0xff);
  segment(0x480, 0, 0, 0x2000, 0xfff);
  segment(0x490, 0x68, 0x8b, 0x3000, 0x67);
  u64(0x4d0, fields.efer ?? 0x1d00n);
  u64(0x548, fields.cr4 ?? 0x20n);
  u64(0x550, fields.cr3 ?? 0x10000n);
  u64(0x558, fields.cr0 ?? 0x80010031n);
  u64(0x560, fields.dr7 ?? 0x400n);
  u64(0x568, fields.dr6 ?? 0xffff0ff0n);
  u64(0x570, fields.rflags ?? 0x2n);
  u64(0x578, fields.rip);
  u64(0x5d8, fields.rsp ?? 0x7c00n);
  u64(0x5f8, fields.rax ?? 0n);
  u64(0x668, 0x0007040600070406n);
  if (fields.nestedCr3 !== undefined) {
    u64(0x90, 1n);
    u64(0xb0, fields.nestedCr3);
  }
  for (const [offset, value] of Object.entries(fields.other ?? {})) u64(Number(offset), value);
  return new Uint8Array(view.buffer);
}

/** A guest of which nothing that VMRUN loads is as its hypervisor has it. */
export const different: Partial<VmcbFields> = {
  cr0: 0x8005003bn,
  cr4: 0x6b8n,
  efer: 0x1d01n,
  dr6: 0xffff4ff0n,
  other: {
    0x400: 0xffffffff_0c93_0038n,
    0x410: 0xffffffff_0a9b_0018n,
    0x420: 0xffffffff_0c93_0040n,
    0x430: 0xffffffff_0c93_0048n,
    0x460: 0x1234_0000_0000n,
    0x468: 0x5555n,
    0x480: 0x4321_0000_0000n,
    0x488: 0x6666n,
  },
};

/** The fields of {@link different} in the end, in its VMCB. */
export const differentSaved = [
  ...Object.entries(different.other!).map(([offset, value]) => [Number(offset), value] as const),
  [0x4d0, different.efer!] as const,
  [0x548, different.cr4!] as const,
  [0x558, different.cr0!] as const,
].map(([offset, value]) => `= mem 0x${(VMCB + offset).toString(16)} u64 0x${value.toString(16)}`)
  .join("\n");

/** The machine of a hypervisor: SVM enabled. */
export const machine = { efer: { set: 0x1000n } } as const;

/** Runs the guest of the VMCB: RAX is its address before and behind. */
export const run = `
  mov ecx, 0xc0010117
  mov eax, ${HSAVE}
  xor edx, edx
  wrmsr
  xor ecx, ecx
  mov eax, ${VMCB}
  vmrun
  exited:
`;

/** Reports exit code, both halves of EXITINFO1 and of EXITINFO2, and the guest's RIP. */
export const reportExit = `
  ${
  [0x70, 0x78, 0x7c, 0x80, 0x84, 0x578].map((offset) => `
    mov eax, [${VMCB + offset}]
    out 0x10, eax
  `).join("\n")
}
`;

/** {@link reportExit}, and it is over. */
export const report = `
  ${reportExit}
  xor eax, eax
  xor ebx, ebx
  xor ecx, ecx
  xor edx, edx
  hlt
`;

/** What {@link reportExit} and {@link report} make of an exit. */
export function reported(
  code: bigint | number,
  first: bigint | string = 0n,
  second: bigint | "*" = 0n,
  rip: string = "*",
): string {
  const half = (value: bigint | string, high: boolean) => {
    if (typeof value === "string") return high && value !== "*" ? "0x0" : value;
    return `0x${(high ? value >> 32n : value & 0xffffffffn).toString(16)}`;
  };
  return [
    `0x${(BigInt(code) & 0xffffffffn).toString(16)}`,
    half(first, false),
    half(first, true),
    half(second, false),
    half(second, true),
    rip,
  ].map((value) => `pio out 0x10 u32 ${value}`).join("\n");
}

/** The memory that the processor may write: VMCB, host save area. */
export const written = `
  = mem 0x${VMCB.toString(16)} u64 [${Array(512).fill("*").join(" ")}]
  = mem 0x${HSAVE.toString(16)} u64 [${Array(512).fill("*").join(" ")}]
`;
