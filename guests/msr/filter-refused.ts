import { asm, defineCases, type MsrFilterRange } from "../../mod.ts";

const range = (count: number, bytes = 8): MsrFilterRange => ({
  access: "read-write",
  base: 0x175,
  count,
  allowed: new Uint8Array(bytes),
});

const rows: Record<string, { otherwise?: "deny"; ranges: MsrFilterRange[]; answer?: "EINVAL" }> = {
  // Deny everything with nothing to allow is no filter.
  "deny-without-ranges": { otherwise: "deny", ranges: [], answer: "EINVAL" },
  "deny-with-empty-ranges": { otherwise: "deny", ranges: [range(0)], answer: "EINVAL" },
  "allow-with-empty-ranges": { ranges: [range(0), range(0)] },
  // 0x600 bytes of bitmap is the limit.
  "bitmap-at-the-limit": { ranges: [range(0x3000, 0x600)] },
  "bitmap-over-the-limit": { ranges: [range(0x3001, 0x608)], answer: "EINVAL" },
};

/** A refused filter leaves the one that was there. */
export default defineCases("msr/filter-refused", rows, ({ otherwise, ranges, answer }) => ({
  spec: "KVM API 4.97: KVM_X86_SET_MSR_FILTER",
  mode: "long",
  requires: ["KVM_CAP_X86_MSR_FILTER"],
  handlers: { 13: "fault" },
  registers: { rcx: 0x176n },
  guest: asm`
    rdmsr
    out 0x10, al
    hlt
    fault:
    out 0x11, al
    hlt
  `,
  drive: ({ vm, attempt }) => {
    // The old filter denies IA32_SYSENTER_EIP.
    vm.setMsrFilter({
      ranges: [{ access: "read", base: 0x176, count: 1, allowed: Uint8Array.of(0) }],
    });
    attempt(() => vm.setMsrFilter({ otherwise, ranges }));
  },
  trace: `
    > msr-filter otherwise-allow read=0x176
    > msr-filter otherwise-${otherwise ?? "allow"} ${
    ranges.map(() => "read-write=0x175").join(" ")
  } ${answer === undefined ? "" : `-> ${answer}`}
    ${
    answer === undefined && ranges[0].count === 0
      ? "pio out 0x10 u8 0x0\nhlt"
      : "pio out 0x11 u8 0x0\nhlt\n= rsp 0x7fd0\n= mem 0x7fd0 u64 [0x0 * 0x28 0x10002 0x8000 0x30]"
  }
  `,
}));
