import { asm, defineCases, type MachineOptions, type ModeName } from "../../mod.ts";
import { comeToHlt, completed, prepared, requires, savedAnything } from "./_smram.ts";

const rows: Record<string, { mode: ModeName; machine?: Omit<MachineOptions, "handlers"> }> = {
  real: { mode: "real" },
  protected: { mode: "protected" },
  paged: { mode: "paged" },
  pae: { mode: "pae" },
  long: { mode: "long" },
  // TS, debug registers' neighbours and every arithmetic flag come back as well.
  "long-flags": {
    mode: "long",
    machine: { rflags: { set: 0x240cd5n }, cr0: { set: 0x8n }, cr4: { set: 0x680n } },
  },
};

/** An SMI runs the handler at SMBASE + 0x8000 in a mode of its own, and RSM brings all state back. */
export default defineCases("smm/enter", rows, ({ mode, machine }) => ({
  spec: [
    "APM 2 10.3: SMM resources; 10.3.5: SMM execution environment",
    "APM 2 10.4: leaving SMM",
    "KVM API 4.96: KVM_SMI",
  ],
  mode,
  requires,
  machine,
  registers: {
    rax: 0x11111111n,
    rbx: 0x22222222n,
    rcx: 0x33333333n,
    rdx: 0x44444444n,
    rsi: 0x55555555n,
    rdi: 0x66666666n,
    rbp: 0x77777777n,
  },
  guest: asm`
    out 0x10, al
    hlt
    handler:
    db 0x66, 0xb8                   ; mov eax, 0x8765005a
    dd 0x8765005a
    db 0x66, 0xbb                   ; mov ebx, 0
    dd 0
    db 0x66, 0xbc                   ; mov esp, 0x1234
    dd 0x1234
    out 0x11, al
    rsm
    handler_end:
  `,
  drive: (context) => {
    const { vcpu, run, assertEquals } = context;
    comeToHlt(context);
    const before = vcpu.sregs();
    vcpu.smi();
    run();
    const { cs, ds, es, fs, gs, ss, cr0, cr4, efer, idt } = vcpu.sregs();
    assertEquals("base and limit of CS", [cs.base, cs.limit], [0x200000n, 0xffffffff]);
    for (const segment of [ds, es, fs, gs, ss]) {
      const { base, limit, selector } = segment;
      assertEquals("a data segment", [base, limit, selector], [0n, 0xffffffff, 0]);
    }
    // PE, EM, TS and PG are clear, the rest as it was.
    assertEquals("CR0, CR4, EFER", [cr0, cr4, efer], [before.cr0 & ~0x8000000dn, 0n, 0n]);
    assertEquals("the limit of the IDT", idt.limit, 0);
    assertEquals("RFLAGS", vcpu.regs().rflags, 2n);
    const { smi, nmi } = vcpu.events();
    assertEquals("SMM, NMI masked", [smi.smm, nmi.masked], [1, 1]);
  },
  trace: `
    ${prepared}
    pio out 0x10 u8 0x11
    ${completed}
    > smi
    pio out 0x11 u8 0x5a
    hlt
    ${savedAnything}
  `,
}));
