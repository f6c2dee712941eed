import { asm, defineCases } from "../../mod.ts";

const rows = {
  protected: {
    mode: "protected",
    frame: (fault: string) => `
      = rsp 0x7ff0
      = mem 0x7ff0 u32 [0x0 ${fault} 0x8 0x10093]
    `,
  },
  long: {
    mode: "long",
    frame: (fault: string) => `
      = rsp 0x7fd0
      = mem 0x7fd0 u64 [0x0 ${fault} 0x28 0x10093 0x8000 0x30]
    `,
  },
} as const;

/** A double fault whose handler can be reached goes there, with error code 0, and ends nothing. */
export default defineCases("exit/shutdown-not-on-double-fault", rows, ({ mode, frame }) => ({
  spec: ["SDM 3A 6.15: Interrupt 8, table 6-5", "KVM API 5: KVM_EXIT_SHUTDOWN"],
  mode,
  // CF, AF and SF.
  machine: { rflags: { set: 0x91n } },
  handlers: { 8: "doubleFault" },
  guest: asm`
    mov eax, 0xf8
    faulting:
    mov fs, ax
    out 0x10, al
    doubleFault:
    mov al, 8
    out 0x11, al
    hlt
  `,
  // Selector 0xf8 names an empty descriptor: #GP(0xf8); its gate is not present: #NP, so #DF.
  trace: ({ faulting }) => `
    pio out 0x11 u8 0x8
    hlt
    = rax 0x8
    = rflags 0x93
    ${frame(faulting)}
  `,
}));
