import { asm, defineCases } from "../../mod.ts";
import { accumulator, type PortMode } from "./_machine.ts";

interface Row {
  readonly mode: PortMode;
  readonly instruction: string;
  readonly exit: string;
  readonly after: bigint;
}

const rows: Record<string, Row> = {
  "real-8": {
    mode: "real",
    instruction: "in al, dx",
    exit: "u8 -> 0x9f",
    after: 0x85a6c79fn,
  },
  "protected-16": {
    mode: "protected",
    instruction: "in ax, dx",
    exit: "u16 -> 0x9f3b",
    after: 0x85a69f3bn,
  },
  "long-8": {
    mode: "long",
    instruction: "in al, dx",
    exit: "u8 -> 0x9f",
    after: 0x1122334485a6c79fn,
  },
  "long-16": {
    mode: "long",
    instruction: "in ax, dx",
    exit: "u16 -> 0x9f3b",
    after: 0x1122334485a69f3bn,
  },
  "long-32": {
    mode: "long",
    instruction: "in eax, dx",
    exit: "u32 -> 0x9f3b5d71",
    after: 0x9f3b5d71n,
  },
};

/**
 * An IN is complete when KVM_RUN is called again and not before: until then RAX is what it was. With
 * `immediate_exit` the call completes the IN, and the next instruction has not begun.
 */
export default defineCases(
  "pio/in-completes-on-reentry",
  rows,
  ({ mode, instruction, exit, after }) => ({
    spec: ["KVM API 5: immediate_exit", "KVM API 5: KVM_EXIT_IO, the note on completion"],
    mode,
    requires: ["KVM_CAP_IMMEDIATE_EXIT"],
    registers: { rax: accumulator[mode], rdx: 0x1f0n },
    guest: asm`
      ${instruction}
      next:
      mov ebx, 1
      out 0x10, al
      hlt
    `,
    drive: ({ vcpu, run, labels, assertEquals }) => {
      run();
      assertEquals("RAX before the re-entry", vcpu.regs().rax, accumulator[mode]);
      vcpu.immediateExit = true;
      run();
      const { rax, rbx, rip } = vcpu.regs();
      assertEquals("RAX after the re-entry", rax, after);
      assertEquals("RBX after the re-entry", rbx, 0n);
      assertEquals("RIP after the re-entry", rip, labels.get("next"));
      run();
      assertEquals("registers after a second one", vcpu.regs().rip, rip);
      vcpu.immediateExit = false;
    },
    trace: `
      pio in 0x1f0 ${exit}
      > immediate-exit 0x1
      intr
      intr
      > immediate-exit 0x0
      pio out 0x10 u8 0x${(after & 0xffn).toString(16)}
      hlt
      = rax 0x${after.toString(16)}
      = rbx 0x1
    `,
  }),
);
