import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; exit: string; state: string }> = {
  out: { instruction: "out dx, al", exit: "pio out 0x1f0 u8 0xe8", state: "" },
  in: { instruction: "in al, dx", exit: "pio in 0x1f0 u8 -> 0x9f", state: "= rax 0x85a6c79f" },
  insb: {
    instruction: "insb",
    exit: "pio in 0x1f0 u8 -> 0x9f",
    state: "= mem 0xa000 u8 0x9f\n= rdi 0xa001",
  },
  outsb: { instruction: "outsb", exit: "pio out 0x1f0 u8 0x0", state: "= rsi 0xb001" },
};

/** STI holds interrupts back for one instruction: an I/O instruction that has exited was that one. */
export default defineCases("pio/interrupt-shadow", rows, ({ instruction, exit, state }) => ({
  spec: ["SDM 2B: STI", "KVM API 4.31: KVM_GET_VCPU_EVENTS, interrupt.shadow"],
  mode: "protected",
  requires: ["KVM_CAP_IMMEDIATE_EXIT", "KVM_CAP_VCPU_EVENTS"],
  registers: { rax: 0x85a6c7e8n, rdx: 0x1f0n, rsi: 0xb000n, rdi: 0xa000n },
  guest: asm`
    sti
    ${instruction}
    mov ebx, 1
    hlt
  `,
  drive: ({ vcpu, run, assertEquals }) => {
    run();
    vcpu.immediateExit = true;
    run();
    assertEquals("the shadow of STI after the access", vcpu.events().interrupt.shadow, 0);
    vcpu.immediateExit = false;
  },
  trace: `
    ${exit}
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    hlt
    = rbx 0x1
    = rflags 0x202
    ${state}
  `,
}));
