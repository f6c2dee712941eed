import { asm, defineCases } from "../../mod.ts";
import { Random } from "./_random.ts";

// Offsets in the XSAVE area (SDM 1 10.5.1).
const rows = {
  "xmm": { at: 160, bit: 2, first: false },
  "xmm-after-an-exit": { at: 160, bit: 2, first: true },
} as const;

/** What KVM_SET_FPU was given is in the XSAVE area, before the vCPU has run and after. */
export default defineCases("state/fpu-in-xsave", rows, ({ at, bit, first }) => ({
  spec: ["KVM API 4.23: KVM_SET_FPU", "KVM API 4.42: KVM_GET_XSAVE", "SDM 1 13.4.2: XSTATE_BV"],
  mode: "long",
  requires: ["KVM_CAP_XSAVE"],
  guest: asm`
    out 0x10, al
    hlt
  `,
  drive({ vcpu, run, assertEquals }) {
    if (first) run();
    const random = new Random(at);
    const xmm = Array.from({ length: 16 }, () => random.bytes(16));
    vcpu.setFpu({ ...vcpu.fpu(), xmm });
    const area = vcpu.xsave();
    assertEquals("SSE in XSTATE_BV", area[512] & bit, bit);
    xmm.forEach((register, number) => {
      const start = at + 16 * number;
      assertEquals(`XMM${number}`, area.subarray(start, start + 16), register);
    });
    if (!first) run();
  },
  trace: first
    ? `
      pio out 0x10 u8 0x0
      > set-fpu
      hlt
    `
    : `
      > set-fpu
      pio out 0x10 u8 0x0
      hlt
    `,
}));
