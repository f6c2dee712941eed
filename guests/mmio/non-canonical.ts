import { asm, defineCases } from "../../mod.ts";

type Row = { instruction: string };

const rows: Record<string, Row> = {
  "write-gp": { instruction: "mov [rdi], dl" },
  "read-gp": { instruction: "mov dl, [rdi]" },
};

/** An address that is not canonical faults before any device. */
export default defineCases("mmio/non-canonical", rows, ({ instruction }) => ({
  spec: ["SDM 1 3.3.7.1: canonical addressing", "SDM 3A 6.15: interrupt 13"],
  mode: "long",
  registers: { rdi: 0x8000d0000040n, rdx: 0xd8n },
  handlers: { 13: "fault" },
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
