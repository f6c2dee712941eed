import { asm, defineCases } from "../../mod.ts";

const rows = {
  // VM-entry failure (bit 31) for an invalid guest state (reason 33), SDM 3C 27.8 and appendix C.
  vmx: { backend: "vmx", reason: "0x80000021" },
  // VMEXIT_INVALID, of which KVM tells the low 32 bits, APM 2 appendix C.
  svm: { backend: "svm", reason: "0xffffffff" },
} as const;

/**
 * In long mode a code segment cannot have both L and D; the hardware refuses such a guest, and runs
 * it once the host has mended it.
 */
export default defineCases("exit/fail-entry", rows, ({ backend, reason }) => ({
  spec: [
    "KVM API 5: KVM_EXIT_FAIL_ENTRY",
    "SDM 3C 27.3.1.2: checks on guest segment registers (CS, D/B)",
    "APM 2 15.5.1: VMRUN, canonicalization and consistency checks",
  ],
  mode: "long",
  requires: [{ backend: [backend] }],
  guest: asm`
    mov byte [0xa000], 0x5a
    add al, 0x21
    out 0x10, al
    hlt
  `,
  drive: ({ run, read, vcpu, assertEquals }) => {
    const good = vcpu.sregs();
    vcpu.setSregs({ ...good, cs: { ...good.cs, l: 1, db: 1 } });
    const registers = vcpu.regs();
    run();
    assertEquals("memory", read(0xa000, 1), [0]);
    // Where RIP stands now is the hardware's.
    vcpu.setSregs(good);
    vcpu.setRegs(registers);
  },
  trace: `
    > set-sregs
    fail-entry ${reason}
    > set-sregs
    > set-regs
    pio out 0x10 u8 0x21
    hlt
    = rax 0x21
    = rflags 0x6
    = mem 0xa000 u8 0x5a
  `,
}));
