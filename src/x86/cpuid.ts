/** Where a CPUID feature stands: leaf, subleaf, register, bit (SDM 2A: CPUID; APM 3 appendix E). */
export type CpuidBit = readonly [
  leaf: number,
  subleaf: number,
  register: "eax" | "ebx" | "ecx" | "edx",
  bit: number,
];

/** The CPUID features that cases require, by the names of the SDM. */
export const cpuidFeatures = {
  VME: [0x1, 0, "edx", 1],
  PSE: [0x1, 0, "edx", 3],
  MSR: [0x1, 0, "edx", 5],
  PAE: [0x1, 0, "edx", 6],
  CX8: [0x1, 0, "edx", 8],
  APIC: [0x1, 0, "edx", 9],
  SEP: [0x1, 0, "edx", 11],
  PGE: [0x1, 0, "edx", 13],
  CMOV: [0x1, 0, "edx", 15],
  MMX: [0x1, 0, "edx", 23],
  FXSR: [0x1, 0, "edx", 24],
  SSE: [0x1, 0, "edx", 25],
  SSE2: [0x1, 0, "edx", 26],
  VMX: [0x1, 0, "ecx", 5],
  CX16: [0x1, 0, "ecx", 13],
  PCID: [0x1, 0, "ecx", 17],
  X2APIC: [0x1, 0, "ecx", 21],
  MOVBE: [0x1, 0, "ecx", 22],
  "TSC-DEADLINE": [0x1, 0, "ecx", 24],
  XSAVE: [0x1, 0, "ecx", 26],
  AVX: [0x1, 0, "ecx", 28],
  FSGSBASE: [0x7, 0, "ebx", 0],
  SMEP: [0x7, 0, "ebx", 7],
  ERMS: [0x7, 0, "ebx", 9],
  INVPCID: [0x7, 0, "ebx", 10],
  SMAP: [0x7, 0, "ebx", 20],
  UMIP: [0x7, 0, "ecx", 2],
  SVM: [0x80000001, 0, "ecx", 2],
  SYSCALL: [0x80000001, 0, "edx", 11],
  NX: [0x80000001, 0, "edx", 20],
  PDPE1GB: [0x80000001, 0, "edx", 26],
  RDTSCP: [0x80000001, 0, "edx", 27],
  LM: [0x80000001, 0, "edx", 29],
} as const satisfies Record<string, CpuidBit>;

/** The name of a CPUID feature. */
export type CpuidFeatureName = keyof typeof cpuidFeatures;
