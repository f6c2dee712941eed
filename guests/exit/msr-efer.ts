import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; before: number; write: number; after: number }> = {
  "long-sce": { mode: "long", before: 0xd00, write: 0xd01, after: 0xd01 },
  // EFER.LMA is the CPU's: software cannot set it.
  "protected-sce-nxe": { mode: "protected", before: 0x0, write: 0x801, after: 0x801 },
  "protected-lme": { mode: "protected", before: 0x0, write: 0x100, after: 0x100 },
  "real-nxe": { mode: "real", before: 0x0, write: 0x800, after: 0x800 },
};

/** EFER is read and written by RDMSR and WRMSR without an exit. */
export default defineCases("exit/msr-efer", rows, ({ mode, before, write, after }) => ({
  spec: ["SDM 3A 2.2.1: IA32_EFER", "APM 2 3.1.7: EFER"],
  mode,
  requires: [{ cpuid: "LM" }, { cpuid: "NX" }, { cpuid: "SYSCALL" }],
  // CR4.PAE, without which nobody would set EFER.LME.
  machine: { cr4: { set: mode === "real" ? 0n : 0x20n }, rflags: { set: 0x8d5n } },
  registers: { rcx: 0xc0000080n },
  guest: asm`
    rdmsr
    mov ebx, eax
    mov eax, ${write}
    wrmsr
    mov eax, -1
    mov edx, -1
    rdmsr
    hlt
  `,
  trace: `
    hlt
    = rax 0x${after.toString(16)}
    = rbx 0x${before.toString(16)}
    = rcx 0xc0000080
    = efer 0x${after.toString(16)}
  `,
}));
