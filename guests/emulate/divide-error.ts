import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  instruction: string;
  rax: bigint;
  rdx: bigint;
  rcx: bigint;
}

const top = 0x8000000000000000n;

const rows: Record<string, Row> = {
  "div-8-by-0": { instruction: "div cl", rax: 0x10n, rdx: 0n, rcx: 0x1100n },
  "div-16-by-0": { instruction: "div cx", rax: 0x10n, rdx: 0n, rcx: 0x110000n },
  "div-32-by-0": { instruction: "div ecx", rax: 0x10n, rdx: 0n, rcx: 0x1100000000n },
  "div-64-by-0": { instruction: "div rcx", rax: 0x10n, rdx: 0n, rcx: 0n },
  "idiv-8-by-0": { instruction: "idiv cl", rax: 0x10n, rdx: 0n, rcx: 0n },
  "idiv-32-by-0": { instruction: "idiv ecx", rax: 0x10n, rdx: 0n, rcx: 0n },
  "div-8-overflow": { instruction: "div cl", rax: 0x1000n, rdx: 0n, rcx: 0x10n },
  "div-16-overflow": { instruction: "div cx", rax: 0n, rdx: 0x10n, rcx: 0x10n },
  "div-32-overflow": { instruction: "div ecx", rax: 0n, rdx: 0x11n, rcx: 0x10n },
  "div-64-overflow": { instruction: "div rcx", rax: 0n, rdx: 0x11n, rcx: 0x10n },
  // -128 by -1 is 128, which a signed byte does not hold; so for each size.
  "idiv-8-overflow": { instruction: "idiv cl", rax: 0xff80n, rdx: 0n, rcx: 0xffn },
  "idiv-16-overflow": { instruction: "idiv cx", rax: 0x8000n, rdx: 0xffffn, rcx: 0xffffn },
  "idiv-32-overflow": {
    instruction: "idiv ecx",
    rax: 0x80000000n,
    rdx: 0xffffffffn,
    rcx: 0xffffffffn,
  },
  "idiv-64-overflow": { instruction: "idiv rcx", rax: top, rdx: -1n, rcx: -1n },
};

/** A quotient that does not fit, or none, is a #DE at the instruction, and no register changes. */
export default defineCases("emulate/divide-error", inBothWays(rows), ({ row, way }) => ({
  spec: ["SDM 2A: DIV, IDIV (#DE)", "SDM 3A 6.15: Interrupt 0"],
  mode: "long",
  requires: way.requires,
  handlers: { 0: "handler" },
  machine: { rflags: { set: 0x8d5n } },
  registers: {
    rax: row.rax,
    rdx: BigInt.asUintN(64, row.rdx),
    rcx: BigInt.asUintN(64, row.rcx),
  },
  guest: asm`
    ${way.prefix}
    dividing:
    ${row.instruction}
    out 0x10, al
    handler:
    mov bl, 1
    hlt
  `,
  trace: ({ dividing }) => `
    hlt
    = rbx 0x1
    = rsp 0x7fd8
    = mem 0x7fd8 u64 [${dividing} 0x28 0x108d7 0x8000 0x30]
  `,
}));
