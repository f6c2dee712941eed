import { asm, defineCases } from "../../mod.ts";

type Values = readonly [eax: number, ebx: number, ecx: number, edx: number];

const leaf = (number: number, [eax, ebx, ecx, edx]: Values) => ({
  function: number,
  eax,
  ebx,
  ecx,
  edx,
});

/** "GenuineIntel"; long mode and NX are there. */
const table = [
  leaf(0x0, [0x5, 0x756e6547, 0x6c65746e, 0x49656e69]),
  leaf(0x1, [0x000a06f1, 0x07040800, 0x00002001, 0x078bfbff]),
  leaf(0x2, [0xf2000001, 0x82000002, 0xa2000003, 0xb2000004]),
  leaf(0x5, [0x85000001, 0x95000002, 0xa5000003, 0xb5000004]),
  leaf(0x40000000, [0x40000001, 0x94000031, 0xa4000032, 0xb4000033]),
  leaf(0x80000000, [0x80000008, 0x80000001, 0x80000002, 0x80000003]),
  leaf(0x80000001, [0x0, 0x0, 0x1, 0x20100800]),
  leaf(0x80000008, [0x3024, 0x1, 0x2, 0x3]),
];

const rows: Record<string, { ask: readonly [number, number]; answer: Values }> = {
  first: { ask: [0x0, 0], answer: [0x5, 0x756e6547, 0x6c65746e, 0x49656e69] },
  middle: { ask: [0x2, 0], answer: [0xf2000001, 0x82000002, 0xa2000003, 0xb2000004] },
  // No leaf has subleaves.
  subleaf: { ask: [0x5, 7], answer: [0x85000001, 0x95000002, 0xa5000003, 0xb5000004] },
  hypervisor: { ask: [0x40000000, 0], answer: [0x40000001, 0x94000031, 0xa4000032, 0xb4000033] },
  extended: { ask: [0x80000000, 0], answer: [0x80000008, 0x80000001, 0x80000002, 0x80000003] },
  last: { ask: [0x80000008, 0], answer: [0x3024, 0x1, 0x2, 0x3] },
  "not-there": { ask: [0x3, 0], answer: [0, 0, 0, 0] },
};

const state = (values: Values) =>
  ["rax", "rbx", "rcx", "rdx"].map((name, number) => `= ${name} 0x${values[number].toString(16)}`);

/** KVM_SET_CPUID gives the leaves without subleaves or flags; CPUID answers from them. */
const answers = defineCases("cpuid/basic", rows, ({ ask, answer }) => ({
  spec: ["KVM API 4.20: KVM_SET_CPUID", "SDM 2A: CPUID"],
  mode: "long",
  registers: { rbx: 0xbbbbbbbbn, rdx: 0xddddddddn },
  guest: asm`
    mov eax, ${ask[0]}
    mov ecx, ${ask[1]}
    cpuid
    hlt
  `,
  drive: ({ vcpu, assertEquals }) => {
    vcpu.setBasicCpuid(table);
    // KVM keeps bits of leaf 1 as CR4 and IA32_APIC_BASE have them.
    const kept = table.filter((entry) => entry.function !== 1);
    const after = vcpu.cpuid();
    for (const { function: number, eax, ebx, ecx, edx } of kept) {
      const [found, ...more] = after.filter((entry) => entry.function === number);
      const values = [found.index, found.flags, found.eax, found.ebx, found.ecx, found.edx];
      const name = `leaf 0x${number.toString(16)} of KVM_GET_CPUID2`;
      assertEquals(name, [...values, more.length], [0, 0, eax, ebx, ecx, edx, 0]);
    }
  },
  trace: `
    > set-basic-cpuid
    hlt
    ${state(answer).join("\n")}
  `,
}));

const lists = {
  limit: { entries: 256, answer: "", left: 256 },
  beyond: { entries: 257, answer: " -> E2BIG", left: 0 },
  none: { entries: 0, answer: "", left: 0 },
};

/** KVM_SET_CPUID takes up to 256 leaves (KVM_MAX_CPUID_ENTRIES). */
const limits = defineCases("cpuid/basic", lists, ({ entries, answer, left }) => ({
  spec: "KVM API 4.20: KVM_SET_CPUID, E2BIG",
  mode: "real",
  guest: asm`hlt`,
  drive: ({ vcpu, attempt, assertEquals }) => {
    const before = vcpu.cpuid();
    const added = Array.from(
      { length: entries },
      (_, number) => leaf(0x40001000 + number, [number, 1, 2, 3]),
    );
    attempt(() => vcpu.setBasicCpuid(added));
    const after = vcpu.cpuid();
    assertEquals("leaves", after.length, answer === "" ? left : before.length);
    if (left > 0) assertEquals("the last leaf", after.at(-1)?.eax, left - 1);
  },
  trace: `
    > set-basic-cpuid${answer}
    hlt
  `,
}));

export default [...answers, ...limits];
