import { asm, defineCases } from "../../mod.ts";

/** `ask` is the instruction, ECX the MSR, EDX:EAX the value. */
const rows = {
  // No processor and no KVM has this one: it lies in the range that is set aside for software.
  "read-unknown": { ask: "rdmsr", index: 0x400000ff, value: 0x1122334455667788n },
  "write-unknown": { ask: "wrmsr", index: 0x400000ff, value: 0x1122334455667788n },
  "efer-reserved": { ask: "wrmsr", index: 0xc0000080, value: 0xd02n },
  "efer-reserved-high": { ask: "wrmsr", index: 0xc0000080, value: 0x100000d00n },
  // Long mode cannot be left by clearing EFER.LME while paging is on.
  "efer-lme": { ask: "wrmsr", index: 0xc0000080, value: 0xc00n },
  "fs-base-not-canonical": { ask: "wrmsr", index: 0xc0000100, value: 0x800000000000n },
  "gs-base-not-canonical": { ask: "wrmsr", index: 0xc0000101, value: 0xff7fffffffffffffn },
  "kernel-gs-base-not-canonical": { ask: "wrmsr", index: 0xc0000102, value: 0x800000000000n },
  "lstar-not-canonical": { ask: "wrmsr", index: 0xc0000082, value: 0x1000000000000000n },
  "pat-reserved-type": { ask: "wrmsr", index: 0x277, value: 0x0007040600070206n },
  "pat-reserved-bit": { ask: "wrmsr", index: 0x277, value: 0x0007840600070406n },
} as const;

/** RDMSR or WRMSR that the CPU must refuse is a #GP(0) at the instruction, without an effect. */
export default defineCases("exit/msr-fault", rows, ({ ask, index, value }) => ({
  spec: ["SDM 2B: RDMSR (#GP(0))", "SDM 2C: WRMSR (#GP(0))", "SDM 3A 6.15: Interrupt 13"],
  mode: "long",
  machine: { rflags: { set: 0x8d5n } },
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  handlers: { 13: "fault" },
  registers: { rax: value & 0xffffffffn, rcx: BigInt(index), rdx: value >> 32n },
  guest: asm`
    ${index === 0x400000ff ? "" : "mov esi, eax\nmov edi, edx\nrdmsr\nxchg eax, esi\nxchg edx, edi"}
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
  `,
}));
