import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { instruction: string; exit: string; rax: string }> = {
  out: { instruction: "out dx, al", exit: "pio out 0x1f0 u8 0xe8", rax: "0x1122334485a6c7e8" },
  in: { instruction: "in ax, dx", exit: "pio in 0x1f0 u16 -> 0x9f3b", rax: "0x1122334485a69f3b" },
  outsb: { instruction: "outsb", exit: "pio out 0x1f0 u8 0x0", rax: "0x1122334485a6c7e8" },
};

/**
 * Once a port access is complete, the state that KVM gives is the whole state: overwritten and put
 * back, it makes the guest go on after the access as if nothing had been.
 */
export default defineCases("pio/state-after-completion", rows, ({ instruction, exit, rax }) => ({
  spec: ["KVM API 5: KVM_EXIT_IO, the note on completion", "KVM API 4.11: KVM_GET_REGS"],
  mode: "long",
  requires: ["KVM_CAP_IMMEDIATE_EXIT"],
  registers: { rax: 0x1122334485a6c7e8n, rdx: 0x1f0n, rsi: 0xb000n },
  guest: asm`
    ${instruction}
    mov esi, 0xb000
    mov ebx, 1
    out 0x12, al
    hlt
  `,
  drive: ({ vcpu, run }) => {
    run();
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    const [regs, sregs, events] = [vcpu.regs(), vcpu.sregs(), vcpu.events()];
    vcpu.setRegs({ ...regs, rax: 0n, rip: 0n, rsi: 0n, rsp: 0n });
    vcpu.setSregs({ ...sregs, cr2: 0x1234n });
    vcpu.setSregs(sregs);
    vcpu.setRegs(regs);
    vcpu.setEvents(events);
  },
  trace: `
    ${exit}
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    > set-regs
    > set-sregs
    > set-sregs
    > set-regs
    > set-events
    pio out 0x12 u8 0x${(BigInt(rax) & 0xffn).toString(16)}
    hlt
    = rax ${rax}
    = rbx 0x1
  `,
}));
