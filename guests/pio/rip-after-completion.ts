import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; exit: string; rax: string }> = {
  out: { instruction: "out dx, al", exit: "pio out 0x1f0 u8 0xe8", rax: "0x85a6c7e8" },
  "out-7e": { instruction: "out 0x7e, al", exit: "pio out 0x7e u8 0xe8", rax: "0x85a6c7e8" },
  in: { instruction: "in al, dx", exit: "pio in 0x1f0 u8 -> 0x9f", rax: "0x85a6c79f" },
};

/** Once a port access is complete, RIP is the host's to set: the guest goes on just there. */
export default defineCases("pio/rip-after-completion", rows, ({ instruction, exit, rax }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO, the note on completion", "KVM API 4.12: KVM_SET_REGS"],
  mode: "protected",
  requires: ["KVM_CAP_IMMEDIATE_EXIT"],
  registers: { rax: 0x85a6c7e8n, rdx: 0x1f0n },
  guest: asm`
    ${instruction}
    hlt
    elsewhere:
    mov ebx, 1
    out 0x12, al
    hlt
    end:
  `,
  drive: ({ vcpu, run, labels }) => {
    run();
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    vcpu.setRegs({ ...vcpu.regs(), rip: labels.get("elsewhere")! });
  },
  trace: ({ end }) => `
    ${exit}
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    > set-regs
    pio out 0x12 u8 0x${(BigInt(rax) & 0xffn).toString(16)}
    hlt
    = rax ${rax}
    = rbx 0x1
    = rip ${end}
  `,
}));
