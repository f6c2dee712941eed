import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  instruction: string;
  registers?: Record<string, bigint>;
  flags?: bigint;
  state: string;
}

/** Source bytes at 0xa000: 0x00, 0x01 and so on; 0xff at 0xb000 and on. */
const rows: Record<string, Row> = {
  "movsb-down": {
    instruction: "movsb",
    flags: 0x402n,
    registers: { rsi: 0xa010n, rdi: 0xb010n },
    state: "= rsi 0xa00f\n= rdi 0xb00f\n= mem 0xb010 u8 0x10",
  },
  "movsw": { instruction: "movsw", state: "= rsi 0xa002\n= rdi 0xb002\n= mem 0xb000 u16 0x100" },
  "movsq-down": {
    instruction: "movsq",
    flags: 0x402n,
    registers: { rsi: 0xa010n, rdi: 0xb010n },
    state: "= rsi 0xa008\n= rdi 0xb008\n= mem 0xb010 u64 0x1716151413121110",
  },
  "rep-movsb": {
    instruction: "rep movsb",
    registers: { rcx: 5n },
    state: "= rcx 0x0\n= rsi 0xa005\n= rdi 0xb005\n= mem 0xb000 u8 [0x0 0x1 0x2 0x3 0x4]",
  },
  "rep-movsd-down": {
    instruction: "rep movsd",
    flags: 0x402n,
    registers: { rcx: 2n, rsi: 0xa010n, rdi: 0xb010n },
    state: "= rcx 0x0\n= rsi 0xa008\n= rdi 0xb008\n= mem 0xb00c u32 [0xf0e0d0c 0x13121110]",
  },
  "rep-movsb-none": { instruction: "rep movsb", registers: { rcx: 0n }, state: "" },
  "rep-movsb-32-bit-addresses": {
    instruction: "db 0x67\nrep movsb",
    registers: { rcx: 0xf00000002n, rsi: 0x50000a000n, rdi: 0x60000b000n },
    state: "= rcx 0x0\n= rsi 0xa002\n= rdi 0xb002\n= mem 0xb000 u8 [0x0 0x1]",
  },
  "rep-movsb-32-bit-none": {
    instruction: "db 0x67\nrep movsb",
    registers: { rcx: 0xf00000000n },
    state: "= rcx *",
  },
  "stosb": {
    instruction: "stosb",
    registers: { rax: 0x77n },
    state: "= rdi 0xb001\n= mem 0xb000 u8 0x77",
  },
  "rep-stosd": {
    instruction: "rep stosd",
    registers: { rax: 0x11223344n, rcx: 3n },
    state: "= rcx 0x0\n= rdi 0xb00c\n= mem 0xb000 u32 [0x11223344 0x11223344 0x11223344]",
  },
  "lodsw": {
    instruction: "lodsw",
    registers: { rax: 0x1111111111111111n },
    state: "= rax 0x1111111111110100\n= rsi 0xa002",
  },
  "lodsd": {
    instruction: "lodsd",
    registers: { rax: 0x1111111111111111n },
    state: "= rax 0x3020100\n= rsi 0xa004",
  },
  "rep-lodsb": {
    instruction: "rep lodsb",
    registers: { rcx: 4n },
    state: "= rax 0x3\n= rcx 0x0\n= rsi 0xa004",
  },
  "cmpsb-equal": {
    instruction: "cmpsb",
    registers: { rdi: 0xa000n },
    state: "= rsi 0xa001\n= rdi 0xa001\n= rflags 0x46",
  },
  "cmpsb-below": { instruction: "cmpsb", state: "= rsi 0xa001\n= rdi 0xb001\n= rflags 0x13" },
  // Source minus destination.
  "cmpsd-above": {
    instruction: "cmpsd",
    registers: { rsi: 0xb000n, rdi: 0xa000n },
    state: "= rsi 0xb004\n= rdi 0xa004\n= rflags 0x86",
  },
  "repe-cmpsb": {
    instruction: "repe cmpsb",
    registers: { rcx: 8n, rdi: 0xa001n },
    state: "= rcx 0x7\n= rsi 0xa001\n= rdi 0xa002\n= rflags 0x97",
  },
  "repe-cmpsb-all": {
    instruction: "repe cmpsb",
    registers: { rcx: 3n, rdi: 0xa000n },
    state: "= rcx 0x0\n= rsi 0xa003\n= rdi 0xa003\n= rflags 0x46",
  },
  "repne-scasb": {
    instruction: "repne scasb",
    registers: { rax: 3n, rcx: 8n, rdi: 0xa000n },
    state: "= rcx 0x4\n= rdi 0xa004\n= rflags 0x46",
  },
  "repne-scasb-not-found": {
    instruction: "repne scasb",
    registers: { rax: 0x7fn, rcx: 3n, rdi: 0xa000n },
    state: "= rcx 0x0\n= rdi 0xa003\n= rflags *",
  },
  "repe-scasw": {
    instruction: "repe scasw",
    registers: { rax: 0xffffn, rcx: 9n },
    state: "= rcx 0x6\n= rdi 0xb006\n= rflags *",
  },
  // An override is for the source alone.
  "movsb-segment": {
    instruction: "db 0x64\nmovsb",
    state: "= rsi 0xa001\n= rdi 0xb001\n= mem 0xb000 u8 0x0",
  },
};

/** String instructions: direction, address size, repetition and what ends it. */
export default defineCases("emulate/string", inBothWays(rows), ({ row, way }) => ({
  spec: "SDM 2: CMPS, LODS, MOVS, REP, SCAS, STOS",
  mode: "long",
  requires: way.requires,
  machine: { rflags: { set: row.flags ?? 2n } },
  registers: { rsi: 0xa000n, rdi: 0xb000n, ...row.registers },
  guest: asm`
    ${way.prefix}
    ${row.instruction}
    hlt
  `,
  drive: ({ write }) => {
    write(0xa000, Uint8Array.from({ length: 0x40 }, (_, index) => index));
    write(0xb000, new Uint8Array(4).fill(0xff));
  },
  trace: `
    hlt
    ${row.state}
  `,
}));
