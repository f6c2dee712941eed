import { asm, defineCases } from "../../mod.ts";

const rows = {
  protected: {
    mode: "protected",
    unknown: "lar eax, [0xd0000010]",
    data: 0x10,
    // EIP, CS, EFLAGS (RF is set for a fault), ESP, SS.
    state: (unknown: string) => `
      = rsp 0x6fec
      = mem 0x6fec u32 [${unknown} 0x1b 0x108d7 0x8000 0x23]
      = cs.selector 0x8
      = cs.access 0xc09b
      = ss.selector 0x10
      = ss.access 0xc093
    `,
  },
  long: {
    mode: "long",
    unknown: "lar eax, [rdi]",
    data: 0x30,
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
  machine: { privilege: 3, rflags: { set: 0x8d5n } },
  handlers: { 6: "undefinedOpcode" },
  registers: { rdi: 0xd0000010n },
  guest: asm`
    unknown:
    ${row.unknown}
    out 0x10, al
    undefinedOpcode:
    mov eax, ${row.data}
    mov ss, ax
    mov al, 6
    hlt
  `,
  trace: ({ unknown }) => `
    hlt
    = rax 0x6
    ${row.state(unknown)}
  `,
}));
