import { asm, defineCases } from "../../mod.ts";

const rows = {
  out: { access: "out 0x20, al", exit: "pio out 0x20 u8 0x5a" },
  "mmio-write": { access: "mov [rbx], al", exit: "mmio write 0xd0000000 u8 0x5a" },
  hlt: { access: "hlt", exit: "hlt" },
} as const;

/** Where KVM_SET_REGS puts RIP at an exit, there the guest goes on: nothing is added to it. */
export default defineCases("exit/set-regs-at-exit", rows, ({ access, exit }) => ({
  spec: ["KVM API 4.12: KVM_SET_REGS", "KVM API 4.10: KVM_RUN"],
  mode: "long",
  registers: { rax: 0x5an, rbx: 0xd0000000n },
  guest: asm`
    ${access}
    add al, 1
    out 0x21, al
    hlt
    times 16 inc eax
    elsewhere:
    times 16 inc eax
    out 0x22, al
    hlt
  `,
  drive: ({ run, vcpu, labels, assertEquals }) => {
    run();
    // Completes what the exit may have left pending.
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    const registers = { ...vcpu.regs(), rip: labels.get("elsewhere")!, rax: 0x7700n };
    vcpu.setRegs(registers);
    assertEquals("registers", vcpu.regs(), registers);
  },
  trace: `
    ${exit}
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    > set-regs
    pio out 0x22 u8 0x10
    hlt
    = rax 0x7710
    = rflags 0x12
  `,
}));
