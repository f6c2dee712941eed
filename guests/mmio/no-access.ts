import { asm, defineCases } from "../../mod.ts";

const rows = {
  lea: { instruction: "lea rdx, [rdi]", state: "= rdx 0xd0000040" },
  "multi-byte-nop": { instruction: "nop dword [rdi]", state: "" },
  prefetch: { instruction: "prefetcht0 [rdi]", state: "" },
  invlpg: { instruction: "invlpg [rdi]", state: "" },
};

/** An instruction that names a device's register without accessing it does not exit. */
export default defineCases("mmio/no-access", rows, ({ instruction, state }) => ({
  spec: ["SDM 2A: LEA, INVLPG", "SDM 2B: NOP, PREFETCHh"],
  mode: "long",
  registers: { rdi: 0xd0000040n, rdx: 0x11n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    hlt
    ${state}
  `,
}));
