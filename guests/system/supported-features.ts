import { asm, defineCases, Kvm } from "../../mod.ts";

type Register = "eax" | "ebx" | "ecx" | "edx";

/** Leaf and register, and the bits that Linux names in /proc/cpuinfo. */
type Table = readonly (readonly [leaf: number, register: Register, bits: Record<string, number>])[];

/** What instructions a guest has, which KVM has no part in: it offers them where the host has them. */
const instructions: Table = [
  [1, "edx", {
    fpu: 0,
    tsc: 4,
    cx8: 8,
    sep: 11,
    cmov: 15,
    clflush: 19,
    mmx: 23,
    fxsr: 24,
    sse: 25,
    sse2: 26,
  }],
  [1, "ecx", {
    pni: 0,
    pclmulqdq: 1,
    ssse3: 9,
    fma: 12,
    cx16: 13,
    sse4_1: 19,
    sse4_2: 20,
    movbe: 22,
    popcnt: 23,
    aes: 25,
    xsave: 26,
    avx: 28,
    f16c: 29,
    rdrand: 30,
  }],
  [7, "ebx", {
    bmi1: 3,
    avx2: 5,
    bmi2: 8,
    erms: 9,
    rdseed: 18,
    adx: 19,
    clflushopt: 23,
    clwb: 24,
    sha_ni: 29,
  }],
  [0x80000001, "edx", { syscall: 11, lm: 29 }],
  [0x80000001, "ecx", { lahf_lm: 0, abm: 5, sse4a: 6, misalignsse: 7 }],
];
/** What pages and control registers can do. */
const system: Table = [
  [1, "edx", { pse: 3, msr: 5, pae: 6, mtrr: 12, pge: 13, pat: 16 }],
  [7, "ebx", { fsgsbase: 0, smep: 7, smap: 20 }],
  [0x80000001, "edx", { nx: 20 }],
];

interface Fixed {
  readonly there: boolean;
  readonly bits: readonly (readonly [leaf: number, register: Register, bit: number])[];
}

/** Bits that are the same on every host: set, or clear. */
const fixed: Record<string, Fixed> = {
  // KVM emulates them: x2APIC, IA32_TSC_ADJUST, the local APIC.
  "emulated": { there: true, bits: [[1, "ecx", 21], [7, "ebx", 1], [1, "edx", 9]] },
  // MONITOR comes with KVM_CAP_X86_DISABLE_EXITS; DTES64, DS-CPL, SMX, EST, TM2, ACPI, DS, TM, PBE.
  "not-supported": {
    there: false,
    bits: [
      [1, "ecx", 2],
      [1, "ecx", 3],
      [1, "ecx", 4],
      [1, "ecx", 6],
      [1, "ecx", 7],
      [1, "ecx", 8],
      [1, "edx", 21],
      [1, "edx", 22],
      [1, "edx", 29],
      [1, "edx", 31],
    ],
  },
  // KVM_FEATURE_*: clock, delay, clock, asynchronous page faults, end of interrupt, unhalt, TLB flush,
  // ..., IPI, polling, yield, and that the clock is stable.
  "paravirtual": {
    there: true,
    bits: [0, 1, 3, 4, 6, 7, 9, 11, 12, 13, 14, 24].map((bit) => [0x40000001, "eax", bit] as const),
  },
};

const guest = asm`hlt`;
const trace = "hlt";
const spec = [
  "KVM API 4.46: KVM_GET_SUPPORTED_CPUID (supported by both the hardware and KVM)",
  "SDM 2A: CPUID, leaves 01H, 07H, 80000001H",
];

function bitsOf() {
  using kvm = Kvm.open();
  const entries = kvm.supportedCpuid();
  return (leaf: number, register: Register, bit: number) => {
    const found = entries.find(({ function: number, index }) => number === leaf && index === 0);
    return ((found?.[register] ?? 0) >>> bit & 1) === 1;
  };
}

/** KVM offers what the host's processor has of these, and nothing that it has not. */
const passed = defineCases("system/supported-features", { instructions, system }, (table) => ({
  spec,
  mode: "real",
  // Another KVM may have less of its hardware to offer.
  requires: [{ backend: ["svm", "vmx"] }],
  guest,
  drive({ assertEquals }) {
    const flags = /^flags\s*:(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))![1]!;
    const host = new Set(flags.trim().split(/\s+/));
    const has = bitsOf();
    const names = table.flatMap(([, , bits]) => Object.keys(bits));
    const offered = table.flatMap(([leaf, register, bits]) =>
      Object.keys(bits).filter((name) => has(leaf, register, bits[name]!))
    );
    assertEquals("the features", offered, names.filter((name) => host.has(name)));
  },
  trace,
}));

/** What KVM offers, or does not, whatever the processor has. */
const always = defineCases("system/supported-features", fixed, ({ there, bits }) => ({
  spec: [...spec, "KVM x86 CPUID: KVM_FEATURE_*"],
  mode: "real",
  guest,
  drive({ assertEquals }) {
    const has = bitsOf();
    const seen = bits.map((
      [leaf, register, bit],
    ) => [leaf, register, bit, has(leaf, register, bit)]);
    assertEquals("leaf, register, bit", seen, bits.map((each) => [...each, there]));
  },
  trace,
}));

export default [...passed, ...always];
