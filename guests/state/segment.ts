import { asm, defineCases, type Segment } from "../../mod.ts";
import { Random } from "./_random.ts";

// Types that a loaded register can have in 64-bit mode (SDM 3A 3.4.5.1, 3.5): accessed, and the TSS
// busy. The base and the default size follow the register.
const segments = {
  cs: { types: [11, 9], code: true, base: false },
  ds: { types: [1, 3, 5, 7], code: false, base: true },
  es: { types: [1, 3, 5, 7], code: false, base: true },
  fs: { types: [1, 3, 5, 7], code: false, base: true },
  gs: { types: [1, 3, 5, 7], code: false, base: true },
  ss: { types: [3, 7], code: false, base: false },
  tr: { types: [11], system: true, base: true },
  ldt: { types: [2], system: true, base: true },
} as const;

function generate(random: Random, name: keyof typeof segments): Segment {
  const kind = segments[name];
  const system = "system" in kind;
  const code = "code" in kind && kind.code;
  // A limit of more than 20 bits counts pages, and ends with all ones (SDM 3A 3.4.5).
  const g = random.number(1);
  const limit = random.number(20);
  return {
    base: kind.base ? random.canonical() : 0n,
    limit: g === 1 ? Number(BigInt(limit | 0x100) << 12n | 0xfffn) : limit,
    selector: random.number(16) & 0xfff8,
    type: kind.types[random.number(8) % kind.types.length],
    present: 1,
    dpl: 0,
    db: code || system ? 0 : 1,
    s: system ? 0 : 1,
    l: code ? 1 : 0,
    g,
    avl: system ? 0 : random.number(1),
    unusable: 0,
  };
}

/** KVM_GET_SREGS gives a segment register, its hidden part and all, as KVM_SET_SREGS was given it. */
export default defineCases("state/segment", segments, (_, variation) => ({
  spec: ["KVM API 4.13: KVM_GET_SREGS", "KVM API 4.14: KVM_SET_SREGS", "SDM 3A 3.4.5: descriptors"],
  mode: "long",
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const name = variation as keyof typeof segments;
    const random = new Random(name.charCodeAt(0) << 8 | name.charCodeAt(1));
    const before = vcpu.sregs();
    for (let round = 0; round < 4; round++) {
      const sregs = { ...before, [name]: generate(random, name) };
      vcpu.setSregs(sregs);
      assertEquals(`the segments, round ${round}`, vcpu.sregs(), sregs);
    }
    vcpu.setSregs(before);
    assertEquals("the segments as before", vcpu.sregs(), before);
  },
  trace: `
    > set-sregs
    > set-sregs
    > set-sregs
    > set-sregs
    > set-sregs
    hlt
  `,
}));
