import { asm, defineCases } from "../../mod.ts";

interface Row {
  index?: number;
  low: number;
  high?: number;
}

// XCR0 has x87 and SSE before.
const rows: Record<string, Row> = {
  nothing: { low: 0x0 },
  "sse-without-x87": { low: 0x2 },
  "avx-without-sse": { low: 0x5 },
  "avx-without-x87": { low: 0x6 },
  "bounds-registers-alone": { low: 0xb },
  "bounds-configuration-alone": { low: 0x13 },
  "mask-registers-alone": { low: 0x27 },
  "reserved-low": { low: 0x103 },
  "reserved-high": { low: 0x3, high: 0x40000000 },
  "last-bit": { low: 0x3, high: 0x80000000 },
  "register-1": { index: 1, low: 0x3 },
  "register-2": { index: 2, low: 0x3 },
  "register-high": { index: 0x80000000, low: 0x3 },
};

/** XSETBV of a value that XCR0 cannot have, or of a register that is none, is a #GP(0). */
export default defineCases("exit/xsetbv-fault", rows, ({ index = 0, low, high = 0 }) => ({
  spec: ["SDM 2C: XSETBV (#GP(0))", "SDM 1 13.3: enabling the XSAVE feature set"],
  mode: "long",
  requires: [
    { cpuid: "XSAVE" },
    "KVM_CAP_XCRS",
    {
      notEmulatedBy: "qemu-tcg",
      because: "it does not intercept XSETBV, and pushes RFLAGS without RF for its own faults",
    },
  ],
  // CR4.OSXSAVE.
  machine: { cr4: { set: 0x40000n }, rflags: { set: 0x8d5n } },
  handlers: { 13: "fault" },
  registers: { rax: BigInt(low), rcx: BigInt(index), rdx: BigInt(high) },
  guest: asm`
    setting:
    xsetbv
    out 0x10, al
    fault:
    xor ecx, ecx
    xgetbv
    mov bl, 13
    hlt
  `,
  drive: ({ vcpu }) => vcpu.setXcrs([{ xcr: 0, value: 3n }]),
  trace: ({ setting }) => `
    > set-xcrs
    hlt
    = rax 0x3
    = rbx 0xd
    = rcx 0x0
    = rdx 0x0
    = rsp 0x7fd0
    = rflags 0x46
    = mem 0x7fd0 u64 [0x0 ${setting} 0x28 0x108d7 0x8000 0x30]
  `,
}));
