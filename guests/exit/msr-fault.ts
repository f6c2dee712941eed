import { asm, defineCases } from "../../mod.ts";

/** The instruction that is refused, ECX, EDX:EAX, and what the MSR still holds. */
const rows = {
  // Every processor leaves 0x40000000 to 0x400000ff to software (SDM 4, chapter 2), and no
  // hypervisor's interface has this one.
  "read-unknown": { ask: "rdmsr", index: 0x400000e0, value: 0x1122334455667788n, left: "" },
  "write-unknown": { ask: "wrmsr", index: 0x400000e0, value: 0x1122334455667788n, left: "" },
  "efer-reserved": { ask: "wrmsr", index: 0xc0000080, value: 0xd02n, left: "= efer 0xd00" },
  "efer-reserved-high": {
    ask: "wrmsr",
    index: 0xc0000080,
    value: 0x100000d00n,
    left: "= efer 0xd00",
  },
  // Long mode cannot be left by clearing EFER.LME while paging is on.
  "efer-lme": { ask: "wrmsr", index: 0xc0000080, value: 0xc00n, left: "= efer 0xd00" },
  "fs-base-not-canonical": {
    ask: "wrmsr",
    index: 0xc0000100,
    value: 0x800000000000n,
    left: "= fs.base 0x0",
  },
  "gs-base-not-canonical": {
    ask: "wrmsr",
    index: 0xc0000101,
    value: 0xff7fffffffffffffn,
    left: "= gs.base 0x0",
  },
  "kernel-gs-base-not-canonical": {
    ask: "wrmsr",
    index: 0xc0000102,
    value: 0x800000000000n,
    left: "= msr.0xc0000102 0x0",
  },
  "lstar-not-canonical": {
    ask: "wrmsr",
    index: 0xc0000082,
    value: 0x1000000000000000n,
    left: "= msr.0xc0000082 0x0",
  },
  "pat-reserved-type": {
    ask: "wrmsr",
    index: 0x277,
    value: 0x0007040600070206n,
    left: "= msr.0x277 0x7040600070406",
  },
  "pat-reserved-bit": {
    ask: "wrmsr",
    index: 0x277,
    value: 0x0007840600070406n,
    left: "= msr.0x277 0x7040600070406",
  },
} as const;

/** RDMSR or WRMSR that the CPU must refuse is a #GP(0) at the instruction, without an effect. */
export default defineCases("exit/msr-fault", rows, ({ ask, index, value, left }) => ({
  spec: ["SDM 2B: RDMSR (#GP(0))", "SDM 2C: WRMSR (#GP(0))", "SDM 3A 6.15: Interrupt 13"],
  mode: "long",
  machine: { rflags: { set: 0x8d5n } },
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  handlers: { 13: "fault" },
  registers: { rax: value & 0xffffffffn, rcx: BigInt(index), rdx: value >> 32n },
  guest: asm`
    asking:
    ${ask}
    out 0x10, al
    fault:
    mov bl, 13
    hlt
  `,
  trace: ({ asking }) => `
    hlt
    = rbx 0xd
    = rsp 0x7fd0
    = mem 0x7fd0 u64 [0x0 ${asking} 0x28 0x108d7 0x8000 0x30]
    ${left}
  `,
}));
