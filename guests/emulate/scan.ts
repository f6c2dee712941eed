import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, register } from "./_checks.ts";
import { ALL, ZF } from "./_model.ts";

const rows = { bsf: "bsf", bsr: "bsr" };

function checks(mnemonic: string): Check[] {
  return ([16, 32, 64] as const).flatMap((size) =>
    [1n, 0x8000n, 0x0ff0n, 0x1n << BigInt(size - 1), 0x8000000000000000n | 0x10n].map((value) => {
      const source = BigInt.asUintN(size, value);
      const text = source.toString(2);
      const index = mnemonic === "bsr"
        ? BigInt(text.length - 1)
        : BigInt(text.length - 1 - text.lastIndexOf("1"));
      const rdx = 0x1112131415161718n;
      return {
        instruction: `${mnemonic} ${register("d", size)}, ${register("c", size)}`,
        rdx,
        // Bits above the operand are not looked at.
        rcx: size === 64 ? source : source | 0x80n << 56n,
        flags: ZF,
        left: merged(rdx, index, size),
        leftFlags: 0n,
        promised: ZF,
      };
    }).concat({
      // Of nothing ZF tells; the destination is undefined, so it is the source here.
      instruction: `${mnemonic} ${register("d", size)}, ${register("c", size)}\nmov edx, 0`,
      rdx: 0n,
      rcx: 0n,
      flags: ALL & ~ZF,
      left: 0n,
      leftFlags: ZF,
      promised: ZF,
    })
  );
}

/** BSF and BSR find the lowest and the highest bit. */
export default defineCases("emulate/scan", inBothWays(rows), ({ row, way }) => ({
  spec: "SDM 2A: BSF, BSR",
  requires: way.requires,
  ...checkAll(checks(row), way),
}));
