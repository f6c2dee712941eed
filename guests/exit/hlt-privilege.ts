import { asm, defineCases, selectors } from "../../mod.ts";

const rows = {
  protected: {
    mode: "protected",
    data: selectors.data32,
    // Error code, EIP, CS, EFLAGS (with RF), ESP, SS.
    frame: (fault: string) => `
      = rsp 0x6fe8
      = mem 0x6fe8 u32 [0x0 ${fault} 0x1b 0x10402 0x8000 0x23]
      = cs.selector 0x8
      = cs.access 0xc09b
      = ss.selector 0x10
      = ss.access 0xc093
    `,
  },
  long: {
    mode: "long",
    data: selectors.data64,
    frame: (fault: string) => `
      = rsp 0x6fd0
      = mem 0x6fd0 u64 [0x0 ${fault} 0x4b 0x10402 0x8000 0x43]
      = cs.selector 0x28
      = cs.access 0xa09b
      = ss.selector 0x30
      = ss.access 0xc093
    `,
  },
} as const;

/** HLT at CPL 3 is a #GP(0) in the guest, at the HLT, and no exit. */
export default defineCases("exit/hlt-privilege", rows, ({ mode, data, frame }) => ({
  spec: ["SDM 2A: HLT (#GP(0) if the current privilege level is not 0)", "SDM 3A 6.8.3, 6.13"],
  mode,
  machine: { privilege: 3, rflags: { set: 0x400n } },
  handlers: { 13: "fault" },
  guest: asm`
    user:
    hlt
    out 0x10, al
    fault:
    mov eax, ${data}
    mov ss, ax
    mov al, 0x13
    hlt
  `,
  trace: ({ user }) => `
    hlt
    = rax 0x13
    ${frame(user)}
  `,
}));
