import { asm, defineCases } from "../../mod.ts";
import type { PortMode } from "./_machine.ts";

const rows: Record<string, { mode: PortMode; instruction: string; port: string; rsi: bigint }> = {
  real: { mode: "real", instruction: "out 0x11, al", port: "0x11", rsi: 0xb000n },
  protected: { mode: "protected", instruction: "out 0x11, al", port: "0x11", rsi: 0xb000n },
  long: { mode: "long", instruction: "out 0x11, al", port: "0x11", rsi: 0xb000n },
  // To this port KVM moves RIP at another time than to others.
  "long-7e": { mode: "long", instruction: "out 0x7e, al", port: "0x7e", rsi: 0xb000n },
  "long-outsb": { mode: "long", instruction: "outsb", port: "0x1f0", rsi: 0xb001n },
};

/**
 * After an OUT, KVM_RUN with `immediate_exit` completes it: RIP is at the next instruction, which has
 * not begun, and the OUT is not repeated.
 */
export default defineCases(
  "pio/out-completes-on-reentry",
  rows,
  ({ mode, instruction, port, rsi }) => ({
    spec: ["KVM API 5: immediate_exit", "KVM API 5: KVM_EXIT_IO, the note on completion"],
    mode,
    requires: ["KVM_CAP_IMMEDIATE_EXIT"],
    registers: { rax: 0x41n, rdx: 0x1f0n, rsi: 0xb000n },
    guest: asm`
      ${instruction}
      next:
      mov ebx, 1
      out 0x12, al
      hlt
    `,
    drive: ({ vcpu, run, write, labels, assertEquals }) => {
      write(0xb000, Uint8Array.of(0x41));
      run();
      vcpu.immediateExit = true;
      run();
      const regs = vcpu.regs();
      assertEquals("RIP after the re-entry", regs.rip, labels.get("next"));
      assertEquals("RBX after the re-entry", regs.rbx, 0n);
      assertEquals("RSI after the re-entry", regs.rsi, rsi);
      vcpu.immediateExit = false;
    },
    trace: `
      pio out ${port} u8 0x41
      > immediate-exit 0x1
      intr
      > immediate-exit 0x0
      pio out 0x12 u8 0x41
      hlt
      = rbx 0x1
      = rsi 0x${rsi.toString(16)}
    `,
  }),
);
