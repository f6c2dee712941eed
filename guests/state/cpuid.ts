import { asm, defineCase, defineCases } from "../../mod.ts";

/** KVM_GET_CPUID2 gives the leaves that KVM_SET_CPUID2 was given, in their order. */
const get = defineCase({
  id: "state/cpuid~get",
  spec: "KVM API 4.20: KVM_SET_CPUID2, KVM_GET_CPUID2",
  mode: "long",
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const leaf = { index: 0, flags: 0, eax: 1, ebx: 2, ecx: 3, edx: 4 };
    const before = vcpu.cpuid();
    // Hypervisors other than KVM have leaves at 0x40001000: nothing that KVM looks at.
    const added = [0x40001000, 0x40001001].map((number) => ({ function: number, ...leaf }));
    vcpu.setCpuid([...before, ...added]);
    assertEquals("the leaves", vcpu.cpuid(), [...before, ...added]);
    vcpu.setCpuid(before);
    assertEquals("the leaves as before", vcpu.cpuid(), before);
  },
  trace: `
    > set-cpuid
    > set-cpuid
    hlt
  `,
});

const lists = {
  "limit": { entries: 256, answer: "" },
  "beyond": { entries: 257, answer: " -> E2BIG" },
};

/** KVM keeps up to 256 leaves (KVM_MAX_CPUID_ENTRIES). */
const limits = defineCases("state/cpuid", lists, ({ entries, answer }) => ({
  spec: "KVM API 4.20: KVM_SET_CPUID2, E2BIG",
  mode: "long",
  guest: asm`hlt`,
  drive({ vcpu, attempt }) {
    const before = vcpu.cpuid();
    const none = { index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 };
    const added = Array.from({ length: entries - before.length }, (_, number) => {
      return { ...none, function: 0x40001000 + number };
    });
    attempt(() => vcpu.setCpuid([...before, ...added]));
  },
  trace: `
    > set-cpuid${answer}
    hlt
  `,
}));

export default [get, ...limits];
