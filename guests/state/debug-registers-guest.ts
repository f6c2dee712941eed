import { asm, defineCase } from "../../mod.ts";

/** A guest reads the debug registers that KVM_SET_DEBUGREGS set, and the host what the guest wrote. */
export default defineCase({
  id: "state/debug-registers-guest",
  spec: ["KVM API 4.34: KVM_SET_DEBUGREGS", "SDM 2B: MOV to and from debug registers"],
  mode: "long",
  requires: ["KVM_CAP_DEBUGREGS"],
  guest: asm`
    mov rax, dr0
    mov rbx, dr1
    mov rcx, dr2
    mov rdx, dr3
    mov rsi, dr6
    mov rdi, dr7
    out 0x10, al
    mov rbp, 0x5000
    mov dr3, rbp
    hlt
  `,
  drive({ vcpu, run, assertEquals }) {
    const registers = {
      db: [0x123456789a0n, 0x2000n, 0xffff800000003000n, 0x4000n],
      dr6: 0xffff4ff0n,
      dr7: 0x400n,
      flags: 0n,
    };
    vcpu.setDebugRegs(registers);
    run();
    assertEquals("the registers", vcpu.debugRegs(), registers);
    run();
  },
  trace: `
    > set-debugregs
    pio out 0x10 u8 0xa0
    hlt
    = rax 0x123456789a0
    = rbx 0x2000
    = rcx 0xffff800000003000
    = rdx 0x4000
    = rsi 0xffff4ff0
    = rdi 0x400
    = rbp 0x5000
    = dr0 0x123456789a0
    = dr1 0x2000
    = dr2 0xffff800000003000
    = dr3 0x5000
    = dr6 0xffff4ff0
    = dr7 0x400
  `,
});
