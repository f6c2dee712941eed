import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; frame: (at: string) => string }> = {
  real: { mode: "real", frame: (at) => `= rsp 0x7ffa\n= mem 0x7ffa u16 [${at} 0x0 0x2]` },
  protected: {
    mode: "protected",
    frame: (at) => `= rsp 0x7ff4\n= mem 0x7ff4 u32 [${at} 0x8 0x10002]`,
  },
  long: {
    mode: "long",
    frame: (at) => `= rsp 0x7fd8\n= mem 0x7fd8 u64 [${at} 0x28 0x10002 0x8000 0x30]`,
  },
};

/** RSM outside of SMM is a #UD. */
export default defineCases("smm/outside", rows, ({ mode, frame }) => ({
  spec: "SDM 2B: RSM (#UD)",
  mode,
  handlers: { 6: "handler" },
  guest: asm`
    at:
    rsm
    out 0x10, al
    handler:
    mov bl, 6
    hlt
  `,
  trace: ({ at }) => `
    hlt
    = rbx 0x6
    ${frame(at)}
  `,
}));
