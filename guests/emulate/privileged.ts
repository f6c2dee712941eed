import { asm, defineCases } from "../../mod.ts";
import { emulated } from "../_ways.ts";

interface Row {
  instruction: string;
  /** IOPL. */
  iopl?: 0 | 3;
  /** CR4 bits. */
  cr4?: bigint;
  /** It goes through, and this is what it leaves. */
  passes?: string;
}

const rows: Record<string, Row> = {
  hlt: { instruction: "hlt" },
  cli: { instruction: "cli" },
  sti: { instruction: "sti" },
  "cli-allowed": { instruction: "cli", iopl: 3, passes: "= rflags 0x3002" },
  in: { instruction: "in al, 0x10" },
  out: { instruction: "out 0x10, al" },
  insb: { instruction: "insb" },
  outsb: { instruction: "outsb" },
  lgdt: { instruction: "lgdt [rsi]" },
  lidt: { instruction: "lidt [rsi]" },
  lldt: { instruction: "lldt ax" },
  ltr: { instruction: "ltr ax" },
  lmsw: { instruction: "lmsw ax" },
  clts: { instruction: "clts" },
  "mov-from-cr0": { instruction: "mov rax, cr0" },
  "mov-to-cr0": { instruction: "mov cr0, rax" },
  "mov-from-cr3": { instruction: "mov rax, cr3" },
  "mov-to-cr4": { instruction: "mov cr4, rax" },
  "mov-from-cr8": { instruction: "mov rax, cr8" },
  "mov-to-cr8": { instruction: "mov cr8, rax" },
  "mov-from-dr0": { instruction: "mov rax, dr0" },
  "mov-to-dr7": { instruction: "mov dr7, rax" },
  rdmsr: { instruction: "rdmsr" },
  wrmsr: { instruction: "wrmsr" },
  invlpg: { instruction: "invlpg [rsi]" },
  wbinvd: { instruction: "wbinvd" },
  invd: { instruction: "invd" },
  sysexit: { instruction: "sysexit" },
  "rdtsc-disabled": { instruction: "rdtsc", cr4: 0x4n },
  rdpmc: { instruction: "rdpmc" },
  "sgdt-with-umip": { instruction: "sgdt [rsi]", cr4: 0x800n },
  "sidt-with-umip": { instruction: "sidt [rsi]", cr4: 0x800n },
  "sldt-with-umip": { instruction: "sldt eax", cr4: 0x800n },
  "str-with-umip": { instruction: "str eax", cr4: 0x800n },
  "smsw-with-umip": { instruction: "smsw eax", cr4: 0x800n },
  "sldt": { instruction: "sldt eax", passes: "" },
  "smsw": { instruction: "smsw ebx", passes: "= rbx 0x80010031" },
  "str": { instruction: "str ebx", passes: "= rbx 0x68" },
};

/** At CPL 3 the emulator refuses what is privileged, and what CR4 or IOPL make so, with #GP(0). */
export default defineCases("emulate/privileged", emulated(rows), ({ row, way }) => {
  const { instruction, iopl = 0, cr4 = 0n, passes } = row;
  return {
    spec: ["SDM 3A 5.9: privileged instructions", "SDM 3A 2.5: CR4 (TSD, UMIP)"],
    mode: "long",
    requires: [
      ...way.requires,
      ...(cr4 === 0x800n ? [{ cpuid: "UMIP" } as const] : []),
    ],
    machine: { privilege: 3, rflags: { set: BigInt(iopl << 12) | 2n }, cr4: { set: cr4 } },
    handlers: { 13: "handler" },
    registers: { rsi: 0xa000n, rdi: 0xa010n, r8: 0xd0000000n },
    guest: asm`
      ${way.prefix}
      faulting:
      ${instruction}
      mov [r8], bpl
      handler:
      mov bl, 13
      mov ecx, 0x30
      mov ss, ecx
      hlt
    `,
    trace: ({ faulting }) =>
      passes !== undefined
        ? `
          mmio write 0xd0000000 u8 0x0
          ${passes}
        `
        : `
          hlt
          = rbx 0xd
          = rcx 0x30
          = rsp 0x6fd0
          = mem 0x6fd0 u64 [0x0 ${faulting} 0x4b 0x10002 0x8000 0x43]
          = cs.selector 0x28
          = cs.access 0xa09b
          = ss.selector 0x30
          = ss.access 0xc093
        `,
  };
});
