/** What the cases of memory-mapped I/O start with in common. */

import type { ModeName } from "../../mod.ts";

/** CF, PF, AF, ZF, SF and OF: a move changes none of them. */
export const ARITHMETIC_FLAGS = 0x8d5n;
/** DF: string instructions go down. */
export const DIRECTION_FLAG = 0x400n;

/** How a mode gets at an address where no slot is: segment 0x2000 in real mode, 0xd0001234 else. */
interface Hole {
  /** Instructions that make {@link operand} point there. */
  readonly reach: string;
  /** RDI before. */
  readonly rdi: bigint;
  /** The memory operand, without its brackets. */
  readonly operand: string;
  /** Guest physical address. */
  readonly address: string;
  /** What {@link reach} leaves. */
  readonly state: string;
}

const flat32: Hole = {
  reach: "",
  rdi: 0xd0001234n,
  operand: "edi",
  address: "0xd0001234",
  state: "",
};

/** The same hole as each mode sees it. */
export const hole: Readonly<Record<ModeName, Hole>> = {
  real: {
    reach: "mov si, 0x2000\nmov es, si",
    rdi: 0x1234n,
    operand: "es:di",
    address: "0x21234",
    state: "= rsi 0x2000\n= es.selector 0x2000\n= es.base 0x20000",
  },
  protected: flat32,
  paged: flat32,
  pae: flat32,
  long: { ...flat32, operand: "rdi" },
};
