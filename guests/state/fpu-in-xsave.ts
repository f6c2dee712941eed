import { asm, defineCase } from "../../mod.ts";
import { Random } from "./_random.ts";

// Offsets in the XSAVE area (SDM 1 10.5.1, 13.4.2), and the bit of SSE in XSTATE_BV.
const XMM = 160;
const XSTATE_BV = 512;
const SSE = 2;

/** What KVM_SET_FPU was given is in the XSAVE area, also where SSE was in its initial state. */
export default defineCase({
  id: "state/fpu-in-xsave",
  spec: ["KVM API 4.23: KVM_SET_FPU", "KVM API 4.42: KVM_GET_XSAVE", "SDM 1 13.4.2: XSTATE_BV"],
  mode: "long",
  requires: ["KVM_CAP_XSAVE"],
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const before = vcpu.xsave();
    const initial = before.slice();
    initial.fill(0, XSTATE_BV, XSTATE_BV + 8);
    vcpu.setXsave(initial);
    const random = new Random(1);
    const xmm = Array.from({ length: 16 }, () => random.bytes(16));
    vcpu.setFpu({ ...vcpu.fpu(), xmm });
    const area = vcpu.xsave();
    assertEquals("SSE in XSTATE_BV", area[XSTATE_BV] & SSE, SSE);
    xmm.forEach((register, number) => {
      const start = XMM + 16 * number;
      assertEquals(`XMM${number}`, area.subarray(start, start + 16), register);
    });
    vcpu.setXsave(before);
  },
  trace: `
    > set-xsave
    > set-fpu
    > set-xsave
    hlt
  `,
});
