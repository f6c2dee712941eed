import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, register, widened } from "./_checks.ts";
import { ALL, bitTest, CF, ZF } from "./_model.ts";

const rows = Object.fromEntries(
  ["bt", "bts", "btr", "btc"].flatMap((mnemonic) => [
    [`${mnemonic}-register`, { mnemonic, immediate: false }],
    [`${mnemonic}-imm8`, { mnemonic, immediate: true }],
  ]),
);

function checks({ mnemonic, immediate }: (typeof rows)[string]): Check[] {
  return ([16, 32, 64] as const).flatMap((size) =>
    [0, 3, size - 1, size, size + 5, 0xf1].map((bit, number) => {
      const a = BigInt.asUintN(size, 0x8000ffff00015b29n | 1n << BigInt(size - 1));
      const rdx = widened(a, size);
      const flags = number % 2 === 0 ? ZF : CF;
      const outcome = bitTest(mnemonic, a, BigInt(bit), flags, size);
      return {
        instruction: `${mnemonic} ${register("d", size)}, ${immediate ? bit : register("c", size)}`,
        rdx,
        rcx: 0x1122334455660000n | BigInt(bit),
        flags,
        // BT writes nothing, so it clears no upper half either.
        left: mnemonic === "bt" ? rdx : merged(rdx, outcome.result, size),
        leftFlags: outcome.flags,
        promised: ALL & ~outcome.undefined,
      };
    })
  );
}

/** The bit tests of a register take their offset modulo the operand's size. */
export default defineCases("emulate/bit", inBothWays(rows), ({ row, way }) => ({
  spec: "SDM 2A: BT, BTC, BTR, BTS",
  requires: way.requires,
  ...checkAll(checks(row), way),
}));
