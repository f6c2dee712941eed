import { asm, defineCases } from "../../mod.ts";

type Row = { instruction: string; vector: number };

const rows: Record<string, Row> = {
  "write-gp": { instruction: "mov [rdi], dl", vector: 13 },
  "read-gp": { instruction: "mov dl, [rdi]", vector: 13 },
  "write-ss": { instruction: "mov [rbp], dl", vector: 12 },
};

/** An address that is not canonical faults before any device: #GP, or #SS through the stack segment. */
export default defineCases("mmio/non-canonical", rows, ({ instruction, vector }) => ({
  spec: ["SDM 1 3.3.7.1: canonical addressing", "SDM 3A 6.15: interrupts 12 and 13"],
  mode: "long",
  registers: { rdi: 0x8000d0000040n, rbp: 0xffff7fffd0000040n, rdx: 0xd8n },
  handlers: { [vector]: "fault" },
  guest: asm`
    ${instruction}
    hlt
    fault:
    pop rbx
    mov cl, 1
    hlt
  `,
  trace: `
    hlt
    = rcx 0x1
    = rsp 0x7fd8
    = mem 0x7fd0 u64 [0x0 0x8000 0x28 0x10002 0x8000 0x30]
  `,
}));
