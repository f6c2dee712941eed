import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, pairs, register, sizes, widened } from "./_checks.ts";
import { ALL, binary, CF, OF } from "./_model.ts";

const mnemonics = Object.fromEntries(
  ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp", "test"].map((name) => [name, name]),
);

/** Every size and a few pairs of operands, each with CF clear and set before. */
function checks(mnemonic: string): Check[] {
  return sizes.flatMap((size) =>
    pairs(size).flatMap(([a, b], number) => {
      const flags = number % 2 === 0 ? CF | OF : 0n;
      const [rdx, rcx] = [widened(a, size), widened(b, size)];
      const outcome = binary[mnemonic](a, b, flags, size);
      const writes = mnemonic !== "cmp" && mnemonic !== "test";
      return [{
        instruction: `${mnemonic} ${register("d", size)}, ${register("c", size)}`,
        rdx,
        rcx,
        flags,
        left: writes ? merged(rdx, outcome.result, size) : rdx,
        leftFlags: outcome.flags,
        promised: ALL & ~outcome.undefined,
      }];
    })
  );
}

/** Arithmetic and logic on registers of each size: result, flags, and what stays as it was. */
export default defineCases("emulate/arithmetic", inBothWays(mnemonics), ({ row, way }) => ({
  spec: ["SDM 2: each instruction's operation and flags affected", "SDM 1 3.4.1.1"],
  requires: way.requires,
  ...checkAll(checks(row), way),
}));
