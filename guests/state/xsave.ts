import { asm, defineCases } from "../../mod.ts";
import { Random } from "./_random.ts";

// The parts of the area by their bits of XSTATE_BV (SDM 1 13.4.1): x87 is 0 to 23 and the stack, of
// which 10 bytes of each 16 count; SSE is MXCSR and the XMM registers.
const rows = {
  "x87": { components: 1 },
  "sse": { components: 2 },
  "both": { components: 3 },
  "initial": { components: 0 },
} as const;

const X87_INITIAL_CONTROL = 0x37f;

function fill(area: Uint8Array, random: Random, components: number): void {
  if ((components & 1) !== 0) {
    area.set([random.number(4) << 2 & 0x3 | 0x7f, random.number(4) & 0xf], 0); // FCW
    area[3] = random.number(7) & 0x7f; // FSW, no exception flag
    area[4] = random.number(8); // the tag word
    for (let number = 0; number < 8; number++) area.set(random.bytes(10), 32 + 16 * number);
  }
  if ((components & 2) !== 0) {
    area.set([0x80, 0x1f | random.number(2) << 5], 24); // MXCSR
    area.set(random.bytes(256), 160);
  }
  area[512] = components;
}

/** What of the XSAVE area is promised: without reserved bytes and MXCSR_MASK. */
function promised(area: Uint8Array): Record<string, Uint8Array | number> {
  return {
    control: area[0] | area[1] << 8,
    status: area[2] | area[3] << 8,
    tags: area[4],
    stack: area.slice(32, 160),
    xmm: area.slice(160, 416),
  };
}

/** KVM_GET_XSAVE gives x87 and SSE as KVM_SET_XSAVE was given them; what it was not is initial. */
export default defineCases("state/xsave", rows, ({ components }) => ({
  spec: [
    "KVM API 4.42: KVM_GET_XSAVE",
    "KVM API 4.43: KVM_SET_XSAVE",
    "SDM 1 13.6: initial configuration",
  ],
  mode: "long",
  requires: ["KVM_CAP_XSAVE"],
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const random = new Random(components + 7);
    const before = vcpu.xsave();
    const other = before.slice();
    fill(other, random, 3);
    for (let round = 0; round < 4; round++) {
      // Something is there first, so that what becomes initial shows.
      vcpu.setXsave(other);
      const area = before.slice();
      area.fill(0, 0, 24);
      area.fill(0, 32, 416);
      fill(area, random, components);
      vcpu.setXsave(area);
      const expected = promised(area);
      if ((components & 1) === 0) expected.control = X87_INITIAL_CONTROL;
      assertEquals(`the area, round ${round}`, promised(vcpu.xsave()), expected);
    }
    vcpu.setXsave(before);
  },
  trace: "> set-xsave\n".repeat(9) + "hlt",
}));
