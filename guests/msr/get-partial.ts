import { asm, defineCases } from "../../mod.ts";

const rows = {
  none: { ask: [], answer: [] },
  all: { ask: [0x175, 0x174, 0xc0000081], answer: [0x1234n, 0x28n, 0x3b002800000000n] },
  "unknown-first": { ask: [0x400000e0, 0x175], answer: [] },
  "unknown-in-the-middle": { ask: [0x175, 0x400000e0, 0x174], answer: [0x1234n] },
  "unknown-last": { ask: [0x174, 0x175, 0x400000e0], answer: [0x28n, 0x1234n] },
  "the-same-twice": { ask: [0x175, 0x175], answer: [0x1234n, 0x1234n] },
};

/** KVM_GET_MSRS reads in order up to the first MSR that it refuses, and tells how many. */
export default defineCases("msr/get-partial", rows, ({ ask, answer }) => ({
  spec: "KVM API 4.18: KVM_GET_MSRS",
  mode: "long",
  requires: [{ parameter: "kvm.ignore_msrs", value: "N" }],
  guest: asm`hlt`,
  drive: ({ vcpu, assertEquals, run }) => {
    vcpu.setMsrs([
      { index: 0x174, data: 0x28n },
      { index: 0x175, data: 0x1234n },
      { index: 0xc0000081, data: 0x3b002800000000n },
    ]);
    assertEquals(
      "KVM_GET_MSRS",
      vcpu.msrs(ask),
      answer.map((data, number) => ({ index: ask[number], data })),
    );
    run();
  },
  trace: `
    > set-msrs msr.0x174=0x28 msr.0x175=0x1234 msr.0xc0000081=0x3b002800000000 -> 0x3
    hlt
  `,
}));
