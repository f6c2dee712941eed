import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, pairs, register, sizes } from "./_checks.ts";
import { CF, OF } from "./_model.ts";

type Size = 8 | 16 | 32 | 64;

const rows: Record<string, () => Check[]> = {
  mul: () => oneOperand("mul", (a, b) => a * b),
  imul: () => oneOperand("imul", (a, b, size) => BigInt.asIntN(size, a) * BigInt.asIntN(size, b)),
  "imul-2": () =>
    twoOperands((size) => `imul ${register("d", size)}, ${register("c", size)}`, (_, b) => b),
  "imul-imm8": () =>
    twoOperands((size) => `imul ${register("d", size)}, ${register("d", size)}, -7`, () => -7n),
  "imul-imm": () =>
    twoOperands(
      (size) =>
        `imul ${register("d", size)}, ${register("d", size)}, ${size === 16 ? 0x1234 : 0x12345678}`,
      (size) => size === 16 ? 0x1234n : 0x12345678n,
    ),
};

/** The product of RAX's part and RCX's goes to twice the size. */
function oneOperand(
  mnemonic: string,
  product: (a: bigint, b: bigint, size: Size) => bigint,
): Check[] {
  return sizes.flatMap((size) =>
    pairs(size).concat([[3n, 5n]]).map(([a, b]) => {
      const full = product(a, b, size);
      const wide = BigInt.asUintN(2 * size, full);
      const [low, high] = [BigInt.asUintN(size, wide), wide >> BigInt(size)];
      const fits = mnemonic === "mul" ? high === 0n : BigInt.asIntN(size, low) === full;
      const rdx = 0x2122232425262728n;
      const rax = merged(0x3132333435363738n, a, size);
      return {
        instruction: `${mnemonic} ${register("c", size)}`,
        rdx,
        rcx: b,
        rax,
        flags: fits ? CF | OF : 0n,
        left: size === 8 ? rdx : merged(rdx, high, size),
        leftRax: size === 8 ? merged(rax, wide, 16) : merged(rax, low, size),
        leftFlags: fits ? 0n : CF | OF,
        promised: CF | OF,
      };
    })
  );
}

/** The product of two operands, signed, cut to their size. */
function twoOperands(
  instruction: (size: 16 | 32 | 64) => string,
  other: (size: Size, b: bigint) => bigint,
): Check[] {
  return ([16, 32, 64] as const).flatMap((size) =>
    pairs(size).concat([[3n, 5n]]).map(([a, b]) => {
      const full = BigInt.asIntN(size, a) * BigInt.asIntN(size, other(size, b));
      const result = BigInt.asUintN(size, full);
      const fits = BigInt.asIntN(size, result) === full;
      const rdx = merged(0x2122232425262728n, a, size);
      return {
        instruction: instruction(size),
        rdx,
        rcx: b,
        flags: fits ? CF | OF : 0n,
        left: merged(rdx, result, size),
        leftFlags: fits ? 0n : CF | OF,
        promised: CF | OF,
      };
    })
  );
}

/** MUL and IMUL in their forms; CF and OF tell whether the product fits. */
export default defineCases("emulate/multiply", inBothWays(rows), ({ row, way }) => ({
  spec: ["SDM 2A: IMUL", "SDM 2B: MUL"],
  requires: way.requires,
  ...checkAll(row(), way),
}));
