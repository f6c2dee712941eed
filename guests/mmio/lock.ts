import { asm, defineCases } from "../../mod.ts";
import { ARITHMETIC_FLAGS } from "./_machine.ts";

type Row = { instruction: string; read: string; written: string; rflags: string; state?: string };

const rows: Record<string, Row> = {
  "add-u32": {
    instruction: "lock add [rdi], edx",
    read: "u32 -> 0x7fffffff",
    written: "u32 0x91a2b443",
    rflags: "0x892",
  },
  "and-u64": {
    instruction: "lock and [rdi], rdx",
    read: "u64 -> 0xff00ff00ff00ff00",
    written: "u64 0x1a005f001100b400",
    rflags: "0x6|0x16",
  },
  "not-u8": {
    instruction: "lock not byte [rdi]",
    read: "u8 -> 0x5a",
    written: "u8 0xa5",
    rflags: "0x8d7",
  },
  "inc-u16": {
    instruction: "lock inc word [rdi]",
    read: "u16 -> 0xffff",
    written: "u16 0x0",
    rflags: "0x57",
  },
  "dec-u64": {
    instruction: "lock dec qword [rdi]",
    read: "u64 -> 0x1",
    written: "u64 0x0",
    rflags: "0x47",
  },
  "sbb-u32": {
    instruction: "lock sbb [rdi], edx",
    read: "u32 -> 0x11a2b3c4",
    written: "u32 0xffffff7f",
    rflags: "0x93",
  },
  "xadd-u32": {
    instruction: "lock xadd [rdi], edx",
    read: "u32 -> 0xfffffff0",
    written: "u32 0x11a2b434",
    rflags: "0x3",
    state: "= rdx 0xfffffff0",
  },
  "xchg-u64": {
    instruction: "lock xchg [rdi], rdx",
    read: "u64 -> 0x8877665544332211",
    written: "u64 0x1a2b5f4e11a2b444",
    rflags: "0x8d7",
    state: "= rdx 0x8877665544332211",
  },
  "cmpxchg-u32": {
    instruction: "lock cmpxchg [rdi], edx",
    read: "u32 -> 0x0",
    written: "u32 0x11a2b444",
    rflags: "0x46",
  },
  "neg-u32": {
    instruction: "lock neg dword [rdi]",
    read: "u32 -> 0x80000000",
    written: "u32 0x80000000",
    rflags: "0x887",
  },
};

/** LOCK changes nothing of what a device sees: one read, then one write of the result. */
export default defineCases("mmio/lock", rows, ({ instruction, read, written, rflags, state }) => ({
  spec: ["SDM 2A: LOCK", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: { rdi: 0xd0000040n, rdx: 0x1a2b5f4e11a2b444n },
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio read 0xd0000040 ${read}
    mmio write 0xd0000040 ${written}
    hlt
    = rflags ${rflags}
    ${state ?? ""}
  `,
}));
