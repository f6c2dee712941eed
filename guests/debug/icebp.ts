import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; frame: (next: string) => string }> = {
  real: {
    mode: "real",
    frame: (next) => `= rsp 0x7ffa\n= mem 0x7ffa u16 [${next} 0x0 0x2]`,
  },
  protected: {
    mode: "protected",
    frame: (next) => `= rsp 0x7ff4\n= mem 0x7ff4 u32 [${next} 0x8 0x2]`,
  },
  long: {
    mode: "long",
    frame: (next) => `= rsp 0x7fd8\n= mem 0x7fd8 u64 [${next} 0x28 0x2 0x8000 0x30]`,
  },
};

/** INT1 is a #DB behind itself, which leaves DR6 as it was. */
export default defineCases("debug/icebp", rows, ({ mode, frame }) => ({
  spec: ["SDM 2A: INT1", "SDM 3A 6.15: Interrupt 1"],
  mode,
  handlers: { 1: "handler" },
  guest: asm`
    db 0xf1
    next:
    out 0xee, al
    handler:
    mov bl, 1
    hlt
  `,
  trace: ({ next }) => `
    hlt
    = rbx 0x1
    ${frame(next)}
  `,
}));
