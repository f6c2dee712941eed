import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, register, sizes, widened } from "./_checks.ts";
import { ALL, CF, OF, shifts, type Size } from "./_model.ts";

const rows = Object.fromEntries(
  Object.keys(shifts).flatMap((mnemonic) => [
    [`${mnemonic}-1`, { mnemonic, counts: [1], by: "1" }],
    [`${mnemonic}-imm8`, { mnemonic, counts: [0, 1, 5, 7, 31, 33], by: "imm8" }],
    [`${mnemonic}-cl`, { mnemonic, counts: [0, 1, 6, 9, 32, 63], by: "cl" }],
  ]),
);

/** 0 stays 0, and the others have bits at both ends. */
const values = (size: Size) =>
  [0x8000000000000001n >> BigInt(64 - size) | 1n, 0x5a3c96f00f69c3a5n].map((value) =>
    BigInt.asUintN(size, value)
  );

function checks({ mnemonic, counts, by }: (typeof rows)[string]): Check[] {
  return sizes.flatMap((size) =>
    counts.flatMap((count, number) =>
      values(size).map((a) => {
        const flags = number % 2 === 0 ? CF | OF : ALL & ~(CF | OF);
        const rdx = widened(a, size);
        const outcome = shifts[mnemonic](a, count, flags, size);
        return {
          instruction: `${mnemonic} ${register("d", size)}, ${
            by === "cl" ? "cl" : by === "1" ? "1" : count
          }`,
          rdx,
          rcx: 0x7766554433221100n | BigInt(count),
          flags,
          left: merged(rdx, outcome.result, size),
          leftFlags: outcome.flags,
          promised: ALL & ~outcome.undefined,
        };
      })
    )
  );
}

/** Shifts and rotations by 1, by an immediate and by CL, which count modulo 32 or 64. */
export default defineCases("emulate/shift", inBothWays(rows), ({ row, way }) => ({
  spec: ["SDM 2B: RCL, RCR, ROL, ROR", "SDM 2B: SAL, SAR, SHL, SHR"],
  requires: way.requires,
  ...checkAll(checks(row), way),
}));
