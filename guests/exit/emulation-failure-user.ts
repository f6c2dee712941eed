import { asm, defineCases, selectors } from "../../mod.ts";

const rows = {
  // The handler runs at CPL 3 too, in user code, where IOPL lets it OUT. EIP, CS, EFLAGS (with RF,
  // as it is a fault).
  protected: {
    mode: "protected",
    rflags: 0x38d5n,
    unknown: "lar eax, [0xd0000010]",
    handler: { at: "undefinedOpcode", selector: selectors.userCode32 },
    state: (unknown: string) => `
      = rsp 0x7ff4
      = mem 0x7ff4 u32 [${unknown} 0x1b 0x138d7]
    `,
  },
  // The handler runs at CPL 0, on RSP0. RIP, CS, RFLAGS, RSP, SS.
  long: {
    mode: "long",
    rflags: 0x8d5n,
    unknown: "lar eax, [rdi]",
    handler: "supervisorUndefinedOpcode",
    state: (unknown: string) => `
      = rsp 0x6fd8
      = mem 0x6fd8 u64 [${unknown} 0x4b 0x108d7 0x8000 0x43]
      = cs.selector 0x28
      = cs.access 0xa09b
      = ss.selector 0x30
      = ss.access 0xc093
    `,
  },
} as const;

/** At CPL 3 an instruction that KVM cannot emulate is a #UD in the guest and not its end. */
export default defineCases("exit/emulation-failure-user", rows, (row) => ({
  spec: [
    "KVM API 7.27: KVM_CAP_EXIT_ON_EMULATION_FAILURE (its absence)",
    "SDM 3A 6.15: Interrupt 6",
  ],
  mode: row.mode,
  machine: { privilege: 3, rflags: { set: row.rflags } },
  handlers: { 6: row.handler },
  registers: { rdi: 0xd0000010n },
  guest: asm`
    unknown:
    ${row.unknown}
    out 0x10, al
    supervisorUndefinedOpcode:
    ; SS is null after a change of CPL.
    mov eax, ${selectors.data64}
    mov ss, ax
    undefinedOpcode:
    mov al, 6
    out 0x11, al
  `,
  trace: ({ unknown }) => `
    pio out 0x11 u8 0x6
    = rax 0x6
    ${row.state(unknown)}
  `,
}));
