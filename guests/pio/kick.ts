import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; exit: string; state: string }> = {
  out: { instruction: "out 0x11, al", exit: "pio out 0x11 u8 0xe8", state: "" },
  "out-7e": { instruction: "out 0x7e, al", exit: "pio out 0x7e u8 0xe8", state: "" },
  in: {
    instruction: "in al, 0x11",
    exit: "pio in 0x11 u8 -> 0x9f",
    state: "= rax 0x85a6c79f",
  },
  insb: {
    instruction: "insb",
    exit: "pio in 0x1f0 u8 -> 0x9f",
    state: "= mem 0xa000 u8 0x9f\n= rdi 0xa001",
  },
  outsb: { instruction: "outsb", exit: "pio out 0x1f0 u8 0x0", state: "= rsi 0xb001" },
};

/**
 * A signal that waits when KVM_RUN is called after a port access interrupts the call, and the access is
 * complete all the same: it is neither repeated nor lost when the guest goes on.
 */
export default defineCases("pio/kick", rows, ({ instruction, exit, state }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO, the note on completion", "KVM API 4.10: KVM_RUN, EINTR"],
  mode: "protected",
  registers: { rax: 0x85a6c7e8n, rdx: 0x1f0n, rsi: 0xb000n, rdi: 0xa000n },
  guest: asm`
    ${instruction}
    next:
    mov ebx, 1
    out 0x12, ax
    hlt
  `,
  drive: ({ vcpu, run, labels, assertEquals }) => {
    run();
    vcpu.kick();
    run();
    const { rip, rbx } = vcpu.regs();
    assertEquals("RIP after the kick", rip, labels.get("next"));
    assertEquals("RBX after the kick", rbx, 0n);
  },
  trace: `
    ${exit}
    > kick
    intr
    pio out 0x12 u16 0x${instruction.startsWith("in al") ? "c79f" : "c7e8"}
    hlt
    = rbx 0x1
    ${state}
  `,
}));
