import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, register, sizes } from "./_checks.ts";

const rows: Record<string, () => Check[]> = {
  div: () => divide("div", [[0n, 1n], [100n, 7n], [0xffn, 0xffn], [0x7ffn, 0x55n]]),
  idiv: () => divide("idiv", [[0n, 1n], [100n, -7n], [-100n, 7n], [-100n, -7n], [-127n, 1n]]),
};

/** The dividend is RDX:RAX (AX), the divisor in RCX. */
function divide(mnemonic: string, operands: [bigint, bigint][]): Check[] {
  return sizes.flatMap((size) =>
    operands.filter(([dividend]) => size > 8 || dividend < 0x100n).map(([dividend, divisor]) => {
      const wide = BigInt.asUintN(2 * size, dividend);
      const part = (value: bigint) => BigInt.asUintN(size, value);
      const [quotient, remainder] = [dividend / divisor, dividend % divisor].map(part);
      const [rax, rdx] = size === 8
        ? [merged(0x3132333435363738n, wide, 16), 0x2122232425262728n]
        : [
          merged(0x3132333435363738n, part(wide), size),
          merged(0x2122232425262728n, wide >> BigInt(size), size),
        ];
      return {
        instruction: `${mnemonic} ${register("c", size)}`,
        rdx,
        rax,
        rcx: part(divisor),
        flags: 0n,
        left: size === 8 ? rdx : merged(rdx, remainder, size),
        leftRax: size === 8
          ? merged(rax, remainder << 8n | quotient, 16)
          : merged(rax, quotient, size),
        leftFlags: 0n,
        // All flags are undefined.
        promised: 0n,
      };
    })
  );
}

/** DIV and IDIV: quotient towards zero, remainder with the dividend's sign. */
export default defineCases("emulate/divide", inBothWays(rows), ({ row, way }) => ({
  spec: "SDM 2A: DIV, IDIV",
  requires: way.requires,
  ...checkAll(row(), way),
}));
