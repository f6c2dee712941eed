import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, pairs, register, sizes, widened } from "./_checks.ts";
import { ALL, unary } from "./_model.ts";

const mnemonics = { inc: "inc", dec: "dec", not: "not", neg: "neg" };

function checks(mnemonic: string): Check[] {
  return sizes.flatMap((size) =>
    pairs(size).map(([a], number) => {
      // INC and DEC keep CF, NOT all of them.
      const flags = number % 2 === 0 ? ALL : 0n;
      const rdx = widened(a, size);
      const outcome = unary[mnemonic](a, flags, size);
      return {
        instruction: `${mnemonic} ${register("d", size)}`,
        rdx,
        flags,
        left: merged(rdx, outcome.result, size),
        leftFlags: outcome.flags,
        promised: ALL & ~outcome.undefined,
      };
    })
  );
}

/** INC, DEC, NOT and NEG on registers of each size. */
export default defineCases("emulate/unary", inBothWays(mnemonics), ({ row, way }) => ({
  spec: ["SDM 2A: DEC, INC", "SDM 2B: NEG, NOT"],
  requires: way.requires,
  ...checkAll(checks(row), way),
}));
