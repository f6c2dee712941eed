import { asm, defineCases, selectors } from "../../mod.ts";

const rows = {
  // The handler runs at CPL 3 too, in user code, where IOPL lets it OUT. Error code, EIP, CS, EFLAGS.
  protected: {
    mode: "protected",
    rflags: 0x3400n,
    handler: { at: "fault", selector: selectors.userCode32 },
    state: (fault: string) => `
      = rsp 0x7ff0
      = mem 0x7ff0 u32 [0x0 ${fault} 0x1b 0x13402]
    `,
  },
  // The handler runs at CPL 0, on RSP0. Error code, RIP, CS, RFLAGS, RSP, SS.
  long: {
    mode: "long",
    rflags: 0x400n,
    handler: "supervisorFault",
    state: (fault: string) => `
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
export default defineCases("exit/hlt-privilege", rows, ({ mode, rflags, handler, state }) => ({
  spec: ["SDM 2A: HLT (#GP(0) if the current privilege level is not 0)", "SDM 3A 6.13"],
  mode,
  machine: { privilege: 3, rflags: { set: rflags } },
  handlers: { 13: handler },
  guest: asm`
    user:
    hlt
    out 0x10, al
    supervisorFault:
    ; SS is null after a change of CPL.
    mov eax, ${selectors.data64}
    mov ss, ax
    fault:
    mov al, 0x13
    out 0x11, al
  `,
  // RFLAGS.RF is in the image as the CPU puts it there: KVM has no part in this fault.
  trace: ({ user }) => `
    pio out 0x11 u8 0x13
    = rax 0x13
    ${state(user)}
  `,
}));
