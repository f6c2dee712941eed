import { asm, defineCases } from "../../mod.ts";

const rows = {
  // XMM3 is what the host set, and XMM4 is what the guest loads.
  "sse": {
    guest: asm`
      movups [0xa000], xmm3
      movups xmm4, [0xa010]
      hlt
    `,
    loaded: Array.from({ length: 16 }, (_, index) => 0x30 + index),
    set: (area: Uint8Array) => {
      area.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16], 160 + 3 * 16);
    },
    trace: `
      = xmm3.low 0x807060504030201
      = xmm3.high 0x100f0e0d0c0b0a09
      = xmm4.low 0x3736353433323130
      = xmm4.high 0x3f3e3d3c3b3a3938
      = mem 0xa000 u64 [0x807060504030201 0x100f0e0d0c0b0a09]
    `,
  },
  // Precision and rounding control are what the host set; the guest sets others.
  "x87-control": {
    guest: asm`
      fnstcw [0xa000]
      fldcw [0xa010]
      hlt
    `,
    loaded: [0x7f, 0x0c],
    set: (area: Uint8Array) => area.set([0x7f, 0x0a], 0),
    trace: `
      = fcw 0xc7f
      = mem 0xa000 u16 0xa7f
    `,
  },
  "mxcsr": {
    guest: asm`
      stmxcsr [0xa000]
      hlt
    `,
    loaded: [],
    set: (area: Uint8Array) => area.set([0x80, 0x5f], 24),
    trace: `
      = mxcsr 0x5f80
      = mem 0xa000 u32 0x5f80
    `,
  },
} as const;

/** A guest finds the x87 and SSE registers that KVM_SET_XSAVE set, and the host what it made of them. */
export default defineCases("state/floating-point-guest", rows, ({ guest, loaded, set, trace }) => ({
  spec: ["KVM API 4.43: KVM_SET_XSAVE", "KVM API 4.42: KVM_GET_XSAVE", "SDM 1 10.5.1: layout"],
  mode: "long",
  requires: ["KVM_CAP_XSAVE", { cpuid: "SSE2" }],
  machine: { cr4: { set: 0x200n } }, // OSFXSR
  guest,
  drive({ vcpu, write }) {
    write(0xa010, Uint8Array.from(loaded));
    const area = vcpu.xsave();
    set(area);
    vcpu.setXsave(area);
  },
  trace: `
    > set-xsave
    hlt
    ${trace}
  `,
}));
