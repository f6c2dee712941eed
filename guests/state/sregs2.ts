import { asm, defineCase, defineCases } from "../../mod.ts";
import { Random } from "./_random.ts";

const spec = ["KVM API 4.131: KVM_GET_SREGS2", "KVM API 4.132: KVM_SET_SREGS2"];

/** KVM_GET_SREGS2 tells what KVM_GET_SREGS does, and takes it back. */
const long = defineCase({
  id: "state/sregs2~long",
  spec,
  mode: "long",
  requires: ["KVM_CAP_SREGS2"],
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const { interrupt_bitmap: _, ...sregs } = vcpu.sregs();
    const { flags, pdptrs, ...sregs2 } = vcpu.sregs2();
    assertEquals("the registers", sregs2, sregs);
    assertEquals("flags without PAE paging", flags, 0n);
    const changed = { ...sregs2, flags, pdptrs, cr2: new Random(2).next(), cr8: 5n };
    vcpu.setSregs2(changed);
    assertEquals("the registers as set", vcpu.sregs2(), changed);
    vcpu.setSregs2({ ...sregs2, flags, pdptrs });
  },
  trace: `
    > set-sregs2
    > set-sregs2
    hlt
  `,
});

/** PAE paging walks from the pointers that KVM_SET_SREGS2 was given, whatever CR3 points to. */
const pdptrs = defineCase({
  id: "state/sregs2~pdptrs",
  spec: [...spec, "SDM 3A 4.4.1: PDPTE registers"],
  mode: "pae",
  requires: ["KVM_CAP_SREGS2"],
  guest: asm`
    mov al, 0x21
    hlt
  `,
  drive({ vcpu, assertEquals }) {
    const before = vcpu.sregs2();
    assertEquals("flags with PAE paging", before.flags, 1n);
    // Bits 11:9 are the system's to use: a change that means nothing.
    const changed = { ...before, pdptrs: before.pdptrs.map((entry) => entry ^ 0xe00n) };
    vcpu.setSregs2(changed);
    assertEquals("the pointers", vcpu.sregs2().pdptrs, changed.pdptrs);
  },
  trace: `
    > set-sregs2
    hlt
    = rax 0x21
  `,
});

const refused = {
  "unknown-flag": 2n,
  "pdptrs-without-pae": 1n,
} as const;

/** Flags that are unknown, or that say what cannot be, are refused. */
const refusals = defineCases("state/sregs2", refused, (flags) => ({
  spec,
  mode: "long",
  requires: ["KVM_CAP_SREGS2"],
  guest: asm`hlt`,
  drive({ vcpu, attempt }) {
    attempt(() => vcpu.setSregs2({ ...vcpu.sregs2(), flags }));
  },
  trace: `
    > set-sregs2 -> EINVAL
    hlt
  `,
}));

export default [long, pdptrs, ...refusals];
