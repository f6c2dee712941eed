import { asm, defineCase } from "../../mod.ts";

/** OUT with an immediate port leaves the guest exactly once, with the byte that was in AL. */
export default defineCase({
  id: "pio/out-imm8",
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2B: OUT"],
  mode: "real",
  guest: asm`
    mov al, 0x41
    out 0x10, al
    hlt
  `,
  trace: `
    pio out 0x10 u8 0x41
    hlt
    = rax 0x41
  `,
});
