import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; instruction: string }> = {
  "wbinvd-real": { mode: "real", instruction: "wbinvd" },
  "wbinvd-protected": { mode: "protected", instruction: "wbinvd" },
  "wbinvd-long": { mode: "long", instruction: "wbinvd" },
  "invlpg-protected": { mode: "protected", instruction: "invlpg [0xa000]" },
  "invlpg-long": { mode: "long", instruction: "invlpg [rbx]" },
  // An address that is not canonical, or that nothing maps, is no fault.
  "invlpg-not-canonical": { mode: "long", instruction: "invlpg [rbp]" },
  "invlpg-device": { mode: "protected", instruction: "invlpg [0xd0000000]" },
};

/** WBINVD and INVLPG change nothing that software sees, touch no memory and do not exit. */
export default defineCases("exit/cache-and-tlb", rows, ({ mode, instruction }) => ({
  spec: ["SDM 2A: INVLPG", "SDM 2C: WBINVD"],
  mode,
  machine: { rflags: { set: 0x8d5n } },
  registers: { rax: 0x1n, rbx: 0xa000n, rbp: 0x8000000000000000n },
  guest: asm`
    mov byte [0xa000], 0x5a
    ${instruction}
    mov al, [0xa000]
    out 0x10, al
    hlt
  `,
  trace: `
    pio out 0x10 u8 0x5a
    hlt
    = rax 0x5a
    = mem 0xa000 u8 0x5a
  `,
}));
