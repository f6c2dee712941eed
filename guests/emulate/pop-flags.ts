import { defineCases } from "../../mod.ts";
import { emulated } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

/** POPF of all that it may change but TF, and of nothing. */
const ONES = 0xffffffffffe77ed7n, NONE = 0n;

interface Row {
  privilege: 0 | 3;
  iopl: 0 | 1 | 2 | 3;
  /** RFLAGS before, beside IOPL. */
  flags: number;
  popped: bigint;
  width?: 16 | 64;
  /** RFLAGS behind it. */
  left: number;
}

const rows: Record<string, Row> = {
  // CPL 3: IOPL never changes, and IF with an IOPL of 3 alone.
  "user-ones": { privilege: 3, iopl: 0, flags: 0x2, popped: ONES, left: 0x244cd7 },
  "user-none": { privilege: 3, iopl: 0, flags: 0x202, popped: NONE, left: 0x202 },
  "user-iopl-2-ones": { privilege: 3, iopl: 2, flags: 0x2, popped: ONES, left: 0x246cd7 },
  "user-iopl-2-none": { privilege: 3, iopl: 2, flags: 0x202, popped: NONE, left: 0x2202 },
  "user-iopl-3-ones": { privilege: 3, iopl: 3, flags: 0x2, popped: ONES, left: 0x247ed7 },
  "user-iopl-3-none": { privilege: 3, iopl: 3, flags: 0x202, popped: NONE, left: 0x3002 },
  "user-iopl-3-16": {
    privilege: 3,
    iopl: 3,
    flags: 0x2,
    popped: 0x4ed7n,
    width: 16,
    left: 0x7ed7,
  },
  "user-iopl-0-16": {
    privilege: 3,
    iopl: 0,
    flags: 0x2,
    popped: 0x7ed7n,
    width: 16,
    left: 0x4cd7,
  },
  "kernel-ones": { privilege: 0, iopl: 0, flags: 0x2, popped: ONES, left: 0x247ed7 },
  "kernel-none": { privilege: 0, iopl: 3, flags: 0x202, popped: NONE, left: 0x2 },
  "kernel-iopl-1": { privilege: 0, iopl: 0, flags: 0x2, popped: 0x1002n, left: 0x1002 },
};

/** POPF by CPL and IOPL. */
export default defineCases("emulate/pop-flags", emulated(rows), ({ row, way }) => {
  const { privilege, iopl, flags, popped, width = 64, left } = row;
  const top = width === 64 ? 0x7ff8 : 0x7ffe;
  const value = BigInt.asUintN(width, popped);
  const one: Try = {
    machine: { privilege, rflags: { set: BigInt(flags | iopl << 12) } },
    registers: { rsp: BigInt(top) },
    tried: width === 64 ? "popfq" : "db 0x66\npopfq",
    memory: {
      [top]: Array.from(
        { length: width / 8 },
        (_, byte) => Number(value >> BigInt(8 * byte) & 0xffn),
      ),
    },
    state: `= rflags 0x${left.toString(16)}\n= rsp 0x8000`,
  };
  return {
    spec: ["SDM 2B: POPF/POPFD/POPFQ, table 4-17", "SDM 3A 2.3: system flags"],
    ...tryOne(one, way),
  };
});
