import { asm, defineCases } from "../../mod.ts";

type Row = {
  instruction: string;
  rdx?: bigint;
  address?: string;
  read: string;
  /** What is written; BT writes nothing. */
  written?: string;
  /** CF, as SETC leaves it in BL. */
  carry: number;
};

const rows: Record<string, Row> = {
  "bt-u32-set": { instruction: "bt dword [rdi], 5", read: "u32 -> 0x20", carry: 1 },
  "bt-u32-clear": { instruction: "bt dword [rdi], 5", read: "u32 -> 0xffffffdf", carry: 0 },
  "bts-u32-imm8": {
    instruction: "bts dword [rdi], 0x25", // modulo 32: an immediate reaches no other doubleword
    read: "u32 -> 0x80000001",
    written: "u32 0x80000021",
    carry: 0,
  },
  "btr-u16-imm8": {
    instruction: "btr word [rdi], 15",
    read: "u16 -> 0xffff",
    written: "u16 0x7fff",
    carry: 1,
  },
  "btc-u64-imm8": {
    instruction: "btc qword [rdi], 63",
    read: "u64 -> 0x7000000000000001",
    written: "u64 0xf000000000000001",
    carry: 0,
  },
  "bts-u32-offset": {
    instruction: "bts [rdi], edx",
    rdx: 0x45n,
    address: "0xd0002008",
    read: "u32 -> 0x20",
    written: "u32 0x20",
    carry: 1,
  },
  "btr-u64-negative-offset": {
    instruction: "btr [rdi], rdx",
    rdx: 0xffffffffffffffffn,
    address: "0xd0001ff8",
    read: "u64 -> 0xffffffffffffffff",
    written: "u64 0x7fffffffffffffff",
    carry: 1,
  },
  // The bit offset of a 16-bit operand has 16 bits and a sign.
  "btc-u16-negative-offset": {
    instruction: "btc [rdi], dx",
    rdx: 0x1118001n,
    address: "0xd0001000",
    read: "u16 -> 0x0",
    written: "u16 0x2",
    carry: 0,
  },
  "bt-u32-far-offset": {
    instruction: "bt [rdi], edx",
    rdx: 0x7fffffffn,
    address: "0xe0001ffc",
    read: "u32 -> 0x80000000",
    carry: 1,
  },
  "lock-btr-u32-offset": {
    instruction: "lock btr [rdi], edx",
    rdx: 0xffffffe0n,
    address: "0xd0001ffc",
    read: "u32 -> 0x3",
    written: "u32 0x2",
    carry: 1,
  },
};

/**
 * The bit offset in a register is signed and reaches past the addressed operand; one in the
 * instruction does not. BTS, BTR and BTC read and write that operand once, BT reads it.
 */
export default defineCases(
  "mmio/bit",
  rows,
  ({ instruction, rdx = 0n, address = "0xd0002000", read, written, carry }) => ({
    spec: ["SDM 2A: BT, BTC, BTR, BTS", "SDM 1 3.1.1.9: Bit(BitBase, BitOffset)"],
    mode: "long",
    machine: { rflags: { set: carry === 1 ? 0n : 1n } },
    registers: { rdi: 0xd0002000n, rdx },
    guest: asm`
      ${instruction}
      setc bl
      hlt
    `,
    // Of the flags only CF is defined (ZF stays on one vendor's processors).
    trace: `
      mmio read ${address} ${read}
      ${written === undefined ? "" : `mmio write ${address} ${written}`}
      hlt
      = rflags *
      = rbx 0x${carry}
    `,
  }),
);
