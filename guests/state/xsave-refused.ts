import { asm, defineCases, type Requirement } from "../../mod.ts";

interface Row {
  readonly change: (area: Uint8Array) => void;
  readonly requires?: readonly Requirement[];
}

const rows: Record<string, Row> = {
  // Bit 62 of XSTATE_BV stands for no component (SDM 1 13.1).
  "unknown-component": { change: (area) => area[519] |= 0x40 },
  "compacted": { change: (area) => area[527] |= 0x80, requires: [{ cpuid: "XSAVE" }] },
  "reserved-header": { change: (area) => area[528] = 1, requires: [{ cpuid: "XSAVE" }] },
  "reserved-header-end": { change: (area) => area[575] = 1, requires: [{ cpuid: "XSAVE" }] },
  // Bits 31:18 of MXCSR are reserved on every CPU (SDM 1 10.2.3).
  "mxcsr": {
    change: (area) => {
      area[512] |= 2;
      area[27] = 0x80;
    },
  },
};

/** KVM_SET_XSAVE refuses what XRSTOR would fault on, and leaves the registers alone. */
export default defineCases("state/xsave-refused", rows, ({ change, requires = [] }) => ({
  spec: ["KVM API 4.43: KVM_SET_XSAVE", "SDM 1 13.8: operation of XRSTOR"],
  mode: "long",
  requires: ["KVM_CAP_XSAVE", ...requires],
  guest: asm`hlt`,
  drive({ vcpu, attempt, assertEquals }) {
    const before = vcpu.xsave();
    const area = before.slice();
    change(area);
    attempt(() => vcpu.setXsave(area));
    assertEquals("the area after the refusal", vcpu.xsave(), before);
  },
  trace: `
    > set-xsave -> EINVAL
    hlt
  `,
}));
