import { asm, defineCases } from "../../mod.ts";

const rows = {
  // x87 alone is what XCR0 always may have.
  valid: {
    value: 0x1,
    trace: () => `
      hlt
      = rax 0x1
      = rbx 0x1
    `,
  },
  // x87 cannot be taken out.
  "without-x87": {
    value: 0x2,
    trace: (setting: string) => `
      hlt
      = rax 0x2
      = rbx 0xd
      = rsp 0x7fd0
      = mem 0x7fd0 u64 [0x0 ${setting} 0x28 0x108d7 0x8000 0x30]
    `,
  },
};

/** XSETBV sets XCR0 for XGETBV without an exit, and is a #GP(0) for a value it cannot have. */
export default defineCases("exit/xsetbv", rows, ({ value, trace }) => ({
  spec: ["SDM 2C: XSETBV", "SDM 2C: XGETBV"],
  mode: "long",
  requires: [{ cpuid: "XSAVE" }],
  // CR4.OSXSAVE.
  machine: { cr4: { set: 0x40000n }, rflags: { set: 0x8d5n } },
  handlers: { 13: "fault" },
  guest: asm`
    mov eax, ${value}
    setting:
    xsetbv
    mov eax, 0
    xgetbv
    mov bl, al
    hlt
    fault:
    mov bl, 13
    hlt
  `,
  trace: ({ setting }) => trace(setting),
}));
