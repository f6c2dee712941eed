import { asm, CR0, CR4, defineCases, EFER, type SystemRegisters } from "../../mod.ts";
import { Random } from "./_random.ts";

type Change = (random: Random, before: SystemRegisters) => Partial<SystemRegisters>;

const rows: Record<string, Change> = {
  "cr0": (random, { cr0 }) => ({
    cr0: cr0 ^ random.some(CR0.MP | CR0.EM | CR0.TS | CR0.AM | CR0.WP | CR0.NE),
  }),
  "cr0-cache": (random, { cr0 }) => ({
    cr0: cr0 | [0n, CR0.CD, CR0.CD | CR0.NW][random.number(8) % 3],
  }),
  "cr2": (random) => ({ cr2: random.next() }),
  "cr3": (random) => ({ cr3: random.next(24) << 12n }),
  "cr4": (random, { cr4 }) => ({
    cr4: cr4 ^ random.some(CR4.TSD | CR4.DE | CR4.PSE | CR4.MCE | CR4.PGE | CR4.PCE | CR4.OSFXSR),
  }),
  "cr8": (random) => ({ cr8: random.next(4) }),
  "efer": (random, { efer }) => ({ efer: efer ^ random.some(EFER.SCE | EFER.NXE) }),
  "apic-base": (random, { apic_base }) => ({
    apic_base: apic_base & 0xfffn | random.next(24) << 12n,
  }),
  "gdt": (random) => ({ gdt: { base: random.canonical(), limit: random.number(16) } }),
  "idt": (random) => ({ idt: { base: random.canonical(), limit: random.number(16) } }),
};

/** KVM_GET_SREGS gives a system register as KVM_SET_SREGS was given it. */
export default defineCases("state/system-register", rows, (change, variation) => ({
  spec: [
    "KVM API 4.13: KVM_GET_SREGS",
    "KVM API 4.14: KVM_SET_SREGS",
    "SDM 3A 2.5: control registers",
  ],
  mode: "long",
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const random = new Random(variation.length);
    const before = vcpu.sregs();
    for (let round = 0; round < 4; round++) {
      const sregs = { ...before, ...change(random, before) };
      vcpu.setSregs(sregs);
      assertEquals(`the registers, round ${round}`, vcpu.sregs(), sregs);
    }
    vcpu.setSregs(before);
    assertEquals("the registers as before", vcpu.sregs(), before);
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
