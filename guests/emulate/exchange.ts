import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll, merged, pairs, register, sizes, widened } from "./_checks.ts";
import { ALL, binary } from "./_model.ts";

const rows: Record<string, () => Check[]> = {
  xchg: () =>
    each((size, a, b, rdx, rcx) => ({
      instruction: `xchg ${register("d", size)}, ${register("c", size)}`,
      left: merged(rdx, b, size),
      leftRcx: merged(rcx, a, size),
      leftFlags: ALL,
    })),
  xadd: () =>
    each((size, a, b, rdx, rcx) => {
      const { result, flags } = binary.add(a, b, ALL, size);
      return {
        instruction: `xadd ${register("d", size)}, ${register("c", size)}`,
        left: merged(rdx, result, size),
        leftRcx: merged(rcx, a, size),
        leftFlags: flags,
      };
    }),
  // RAX equals the destination: the source goes there.
  "cmpxchg-equal": () =>
    each((size, a, b, rdx) => ({
      instruction: `cmpxchg ${register("d", size)}, ${register("c", size)}`,
      rax: rdx,
      left: merged(rdx, b, size),
      leftFlags: binary.cmp(a, a, ALL, size).flags,
    })),
  // It does not: the destination goes to RAX.
  "cmpxchg-unequal": () =>
    each((size, a, _, rdx) => {
      const accumulator = BigInt.asUintN(size, a ^ 0x55n);
      const rax = widened(accumulator, size);
      return {
        instruction: `cmpxchg ${register("d", size)}, ${register("c", size)}`,
        rax,
        // 32 bits clear the upper half of what is written; the destination may be, by itself.
        left: rdx,
        leftRax: merged(rax, a, size),
        leftFlags: binary.cmp(accumulator, a, ALL, size).flags,
      };
    }).filter(({ instruction }) => !instruction.includes("edx")),
  "bswap-32": () => [{
    instruction: "bswap edx",
    rdx: 0x1122334455667788n,
    flags: ALL,
    left: 0x88776655n,
    leftFlags: ALL,
  }],
  "bswap-64": () => [{
    instruction: "bswap rdx",
    rdx: 0x1122334455667788n,
    flags: 0n,
    left: 0x8877665544332211n,
    leftFlags: 0n,
  }],
};

type Part = Omit<Check, "rdx" | "rcx" | "flags">;

function each(
  one: (size: 8 | 16 | 32 | 64, a: bigint, b: bigint, rdx: bigint, rcx: bigint) => Part,
): Check[] {
  return sizes.flatMap((size) =>
    pairs(size).map(([a, b]) => {
      const [rdx, rcx] = [widened(a, size), widened(b, size)];
      return { rdx, rcx, flags: ALL, ...one(size, a, b, rdx, rcx) };
    })
  );
}

/** Instructions that exchange, between registers of each size. */
export default defineCases("emulate/exchange", inBothWays(rows), ({ row, way }) => ({
  spec: ["SDM 2A: BSWAP, CMPXCHG", "SDM 2C: XADD, XCHG"],
  requires: way.requires,
  ...checkAll(row(), way),
}));
