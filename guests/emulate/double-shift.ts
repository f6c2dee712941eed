import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, register, widened } from "./_checks.ts";
import { ALL, CF, doubleShift } from "./_model.ts";

const rows = {
  "shld-imm8": { mnemonic: "shld", direction: "left", by: "imm8" },
  "shld-cl": { mnemonic: "shld", direction: "left", by: "cl" },
  "shrd-imm8": { mnemonic: "shrd", direction: "right", by: "imm8" },
  "shrd-cl": { mnemonic: "shrd", direction: "right", by: "cl" },
} as const;

function checks({ mnemonic, direction, by }: (typeof rows)[keyof typeof rows]): Check[] {
  return ([16, 32, 64] as const).flatMap((size) =>
    [0, 1, 4, 15, 64].map((count) => {
      const a = BigInt.asUintN(size, 0x89abcdef12345677n);
      const rdx = widened(a, size);
      // The source is RCX with the count in CL, or RAX, which the flags do not touch.
      const rax = 0xf0e1d2c3b4a59687n;
      const outcome = doubleShift(direction, a, BigInt.asUintN(size, rax), count, CF, size);
      return {
        instruction: `${mnemonic} ${register("d", size)}, ${register("a", size)}, ${
          by === "cl" ? "cl" : count
        }`,
        rdx,
        rax,
        rcx: by === "cl" ? BigInt(count) : 0x55n,
        flags: CF,
        left: merged(rdx, outcome.result, size),
        leftFlags: outcome.flags,
        promised: ALL & ~outcome.undefined,
      };
    })
  );
}

/** SHLD and SHRD by an immediate and by CL. */
export default defineCases("emulate/double-shift", inBothWays(rows), ({ row, way }) => ({
  spec: "SDM 2B: SHLD, SHRD",
  requires: way.requires,
  ...checkAll(checks(row), way),
}));
