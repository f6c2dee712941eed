import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  /** The registers that hold the instruction's address; the others hold one where nothing runs. */
  at: readonly number[];
  dr7: bigint;
  /** DR6 before, unless as at reset. */
  dr6?: bigint;
  /** DR6 behind the #DB; without it there is none. */
  left?: bigint;
  /** What the instruction is returned to with. */
  flags?: bigint;
  /** DR7 behind it, unless the same. */
  control?: bigint;
}

const rows: Record<string, Row> = {
  "dr0-local": { at: [0], dr7: 0x401n, left: 0xffff0ff1n },
  "dr0-global": { at: [0], dr7: 0x402n, left: 0xffff0ff1n },
  "dr1-local": { at: [1], dr7: 0x404n, left: 0xffff0ff2n },
  "dr2-global": { at: [2], dr7: 0x420n, left: 0xffff0ff4n },
  "dr3-local": { at: [3], dr7: 0x440n, left: 0xffff0ff8n },
  "dr3-global": { at: [3], dr7: 0x480n, left: 0xffff0ff8n },
  // The handler may use the debug registers: #DB clears GD.
  "general-detect": { at: [0], dr7: 0x2401n, left: 0xffff0ff1n, control: 0x401n },
  "two": { at: [0, 2], dr7: 0x411n, left: 0xffff0ff5n },
  "one-of-two": { at: [1], dr7: 0x405n, left: 0xffff0ff2n },
  // B0 to B3 are those of this #DB; BD, BS and BT stay.
  "status-before": { at: [1], dr7: 0x404n, dr6: 0xffff6ff0n, left: 0xffff6ff2n },
  "nowhere": { at: [], dr7: 0x4ffn },
  "disabled": { at: [0, 1, 2, 3], dr7: 0x400n },
  "another-enabled": { at: [0], dr7: 0x404n },
  "writes": { at: [0], dr7: 0x10401n },
  "accesses": { at: [3], dr7: 0x3000_0440n },
  // RF holds an instruction breakpoint off for one instruction.
  "resumed": { at: [0], dr7: 0x401n, flags: 0x10002n },
  "resumed-with-trap-bits": { at: [2], dr7: 0x410n, flags: 0x108d7n },
};

/** A guest's own instruction breakpoint stops it before an instruction that KVM emulates too. */
export default defineCases("debug/own-breakpoint-emulated", inBothWays(rows), ({ row, way }) => {
  const { at, dr7, dr6 = 0xffff0ff0n, left, flags = 2n, control = dr7 } = row;
  const forced = way.prefix !== "";
  return {
    spec: [
      "SDM 3B 18.3.1.1: instruction-breakpoint exception condition",
      "SDM 3B 18.2: debug registers",
      "KVM API 4.34: KVM_SET_DEBUGREGS",
    ],
    mode: "long",
    // RF in the image is the vendors' own affair: debug/own-breakpoint has Intel's.
    requires: [
      "KVM_CAP_DEBUGREGS",
      ...way.requires,
      forced
        // VMX saves RF as a delivered #UD would (SDM 3C 28.3.3), which then holds for what follows.
        ? { backend: ["svm"] }
        : {
          notEmulatedBy: "qemu-tcg",
          because: "VMRUN does not arm the breakpoints of the guest's DR7",
        },
    ],
    handlers: { 1: "handler" },
    guest: asm`
      mov rbp, rsp
      push 0x30
      push rbp
      push ${flags}
      push 0x28
      push start
      iretq
      times 0x680 db 0x90         ; QEMU may leave it armed: no other guest has code out there
      start:
      ${way.prefix}
      stop:
      mov bl, 2
      out 0xf4, al
      handler:
      out 0xf4, al
    `,
    drive({ vcpu, labels }) {
      const stop = labels.get("stop")!;
      const db = [0, 1, 2, 3].map((number) => at.includes(number) ? stop : 0xffff0000n);
      vcpu.setDebugRegs({ db, dr6, dr7, flags: 0n });
    },
    trace: ({ start, stop }) => `
      > set-debugregs
      pio out 0xf4 u8 0x0
      ${left === undefined ? "= rbx 0x2" : ""}
      = rbp 0x8000
      = rflags 0x${(flags & 0xffffn).toString(16)}
      ${[0, 1, 2, 3].map((n) => `= dr${n} ${at.includes(n) ? stop : "0xffff0000"}`).join("\n")}
      = dr6 0x${(left ?? dr6).toString(16)}
      = dr7 0x${control.toString(16)}
      ${
      left === undefined
        ? `= mem 0x7fd8 u64 [${start} 0x28 0x${flags.toString(16)} 0x8000 0x30]`
        : `= mem 0x7fd8 u64 [${stop} 0x28 * 0x8000 0x30]\n= rsp 0x7fd8`
    }
    `,
  };
});
