import { asm, defineCases, type Requirement } from "../../mod.ts";

interface Row {
  readonly value: bigint;
  readonly answer: "" | " -> EINVAL";
  readonly requires?: readonly Requirement[];
}

const rows: Record<string, Row> = {
  "x87": { value: 1n, answer: "" },
  "sse": { value: 3n, answer: "", requires: [{ cpuid: "XSAVE" }] },
  "without-x87": { value: 2n, answer: " -> EINVAL" },
  "nothing": { value: 0n, answer: " -> EINVAL" },
  // AVX needs SSE (SDM 1 13.3).
  "avx-without-sse": { value: 5n, answer: " -> EINVAL" },
  "unknown": { value: 0x4000000000000001n, answer: " -> EINVAL" },
};

/** KVM_SET_XCRS sets XCR0 to what XSETBV could, and refuses what it could not. */
export default defineCases("state/xcr0", rows, ({ value, answer, requires = [] }) => ({
  spec: ["KVM API 4.44: KVM_GET_XCRS", "KVM API 4.45: KVM_SET_XCRS", "SDM 1 13.3: XCR0"],
  mode: "long",
  requires: ["KVM_CAP_XCRS", ...requires],
  guest: asm`hlt`,
  drive({ vcpu, attempt, assertEquals }) {
    const before = vcpu.xcrs();
    // The state of the reset: x87 alone.
    assertEquals("the registers", before, [{ xcr: 0, value: 1n }]);
    attempt(() => vcpu.setXcrs([{ xcr: 0, value }]));
    const expected = answer === "" ? [{ xcr: 0, value }] : before;
    assertEquals("the registers as set", vcpu.xcrs(), expected);
  },
  trace: `
    > set-xcrs${answer}
    hlt
  `,
}));
