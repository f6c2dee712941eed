import type { CpuidEntry } from "../../mod.ts";

/** KVM_CPUID_FLAG_SIGNIFCANT_INDEX: the entry is of one subleaf. */
const SUBLEAF = 1;

/** The vendors whose processors answer a leaf out of range in different ways, as in leaf 0. */
export const vendors = {
  // "GenuineIntel"
  intel: { ebx: 0x756e6547, edx: 0x49656e69, ecx: 0x6c65746e },
  // "AuthenticAMD"
  amd: { ebx: 0x68747541, edx: 0x69746e65, ecx: 0x444d4163 },
};

/**
 * A CPUID table in which each value is told from every other. Leaf 5 is the highest basic leaf
 * unless another is given, 3 has no entry, 4 has the subleaves 0 and 1. Long mode and NX are there.
 */
export function cpuidTable(vendor: keyof typeof vendors, highestLeaf = 0x5): CpuidEntry[] {
  const { ebx, ecx, edx } = vendors[vendor];
  return [
    { function: 0x0, index: 0, flags: 0, eax: highestLeaf, ebx, ecx, edx },
    entry(0x1, 0, 0, [0x000a06f1, 0x07040800, 0x80002001, 0x078bfbff]),
    entry(0x2, 0, 0, [0xf2000001, 0x82000002, 0xa2000003, 0xb2000004]),
    entry(0x4, 0, SUBLEAF, [0x84000011, 0x94000012, 0xa4000013, 0xb4000014]),
    entry(0x4, 1, SUBLEAF, [0x84000021, 0x94000022, 0xa4000023, 0xb4000024]),
    entry(0x5, 0, 0, [0x85000001, 0x95000002, 0xa5000003, 0xb5000004]),
    entry(0xb, 0, SUBLEAF, [0x1, 0x8, 0x100, 0x8b0000aa]),
    entry(0xb, 1, SUBLEAF, [0x4, 0x10, 0x201, 0x8b0000aa]),
    entry(0x40000000, 0, 0, [0x40000001, 0x94000031, 0xa4000032, 0xb4000033]),
    entry(0x40000001, 0, 0, [0x0, 0x94000041, 0xa4000042, 0xb4000043]),
    entry(0x80000000, 0, 0, [0x80000008, 0x0, 0x0, 0x0]),
    entry(0x80000001, 0, 0, [0x0, 0x0, 0x1, 0x20100800]),
    entry(0x80000003, 0, 0, [0xc3c2c1c0, 0xc7c6c5c4, 0xcbcac9c8, 0xcfcecdcc]),
    entry(0x80000008, 0, 0, [0x3024, 0x0, 0x0, 0x0]),
  ];
}

function entry(
  leaf: number,
  index: number,
  flags: number,
  [eax, ebx, ecx, edx]: readonly [number, number, number, number],
): CpuidEntry {
  return { function: leaf, index, flags, eax, ebx, ecx, edx };
}
