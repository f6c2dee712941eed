import { asm, defineCases, type ModeName } from "../../mod.ts";
import { cpuidTable, vendors } from "./_cpuid_table.ts";

interface Row {
  vendor: keyof typeof vendors;
  mode: ModeName;
  /** The highest basic leaf. */
  highest: number;
  /** Leaf and subleaf that CPUID is asked. */
  ask: readonly [number, number];
  /** EAX, EBX, ECX, EDX. */
  answer: readonly [number, number, number, number];
  /** A leaf beside those of the table that says how far a range goes, and EAX of it. */
  range?: readonly [number, number];
}

const leaf5 = [0x85000001, 0x95000002, 0xa5000003, 0xb5000004] as const;
const zeros = [0, 0, 0, 0] as const;

const rows: Record<string, Row> = {
  "intel-basic": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    ask: [0x6, 0x0],
    answer: leaf5,
  },
  "intel-basic-far": {
    vendor: "intel",
    mode: "real",
    highest: 0x5,
    ask: [0x7fffffff, 0x9],
    answer: leaf5,
  },
  "intel-extended": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    ask: [0x80000009, 0x0],
    answer: leaf5,
  },
  // The subleaf counts in the leaf that answers instead.
  "intel-subleaf": {
    vendor: "intel",
    mode: "protected",
    highest: 0x4,
    ask: [0x6, 0x1],
    answer: [0x84000021, 0x94000022, 0xa4000023, 0xb4000024],
  },
  "amd-basic": {
    vendor: "amd",
    mode: "protected",
    highest: 0x5,
    ask: [0x6, 0x0],
    answer: zeros,
  },
  "amd-extended": {
    vendor: "amd",
    mode: "protected",
    highest: 0x5,
    ask: [0x80000009, 0x0],
    answer: zeros,
  },
  // A hypervisor's leaves are ranges of 256, each with its own highest; 0xc0000000 is a range, too.
  "intel-hypervisor": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    ask: [0x40000002, 0x0],
    answer: leaf5,
  },
  "intel-hypervisor-in-range": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    range: [0x40000100, 0x40000105],
    ask: [0x40000105, 0x0],
    answer: zeros,
  },
  "intel-hypervisor-beyond-range": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    range: [0x40000100, 0x40000105],
    ask: [0x40000106, 0x0],
    answer: leaf5,
  },
  "intel-hypervisor-last": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    range: [0x4fffff00, 0x4fffffff],
    ask: [0x4fffffff, 0x0],
    answer: zeros,
  },
  "intel-centaur-in-range": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    range: [0xc0000000, 0xc0000004],
    ask: [0xc0000004, 0x0],
    answer: zeros,
  },
  "intel-centaur-beyond-range": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    range: [0xc0000000, 0xc0000004],
    ask: [0xc0000005, 0x0],
    answer: leaf5,
  },
  "intel-extended-in-range": {
    vendor: "intel",
    mode: "protected",
    highest: 0x5,
    ask: [0x80000007, 0x0],
    answer: zeros,
  },
  // Past the last level of the topology leaf ECX[7:0] is the subleaf and EDX still the x2APIC ID.
  "topology-subleaf": {
    vendor: "intel",
    mode: "protected",
    highest: 0xb,
    ask: [0xb, 0x103],
    answer: [0, 0, 0x3, 0x8b0000aa],
  },
};

/** A leaf that is out of range answers as the processor that leaf 0 names would. */
export default defineCases("exit/cpuid-out-of-range", rows, (row) => ({
  spec: [
    "KVM API 4.20: KVM_SET_CPUID2",
    "SDM 2A: CPUID (data of the highest basic leaf; leaf 0BH)",
    "APM 3 appendix E: reserved functions return zeros",
  ],
  mode: row.mode,
  registers: { rbx: 0xbbbbbbbbn, rdx: 0xddddddddn },
  guest: asm`
    mov eax, ${row.ask[0]}
    mov ecx, ${row.ask[1]}
    cpuid
    hlt
  `,
  drive: ({ vcpu }) => {
    const entries = cpuidTable(row.vendor, row.highest);
    if (row.range) {
      const [leaf, eax] = row.range;
      entries.push({ function: leaf, index: 0, flags: 0, eax, ebx: 0, ecx: 0, edx: 0 });
    }
    vcpu.setCpuid(entries);
  },
  trace: `
    > set-cpuid
    hlt
    = rax 0x${row.answer[0].toString(16)}
    = rbx 0x${row.answer[1].toString(16)}
    = rcx 0x${row.answer[2].toString(16)}
    = rdx 0x${row.answer[3].toString(16)}
  `,
}));
