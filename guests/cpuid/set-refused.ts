import { asm, type CpuidEntry, defineCases } from "../../mod.ts";
import { offered } from "../_cpuid.ts";

interface Row {
  entries: () => CpuidEntry[];
  answer: string;
}

const linear = (bits: number) => () =>
  offered(({ function: leaf, eax }) =>
    leaf === 0x80000008 ? { eax: (eax & ~0xff00 | bits << 8) >>> 0 } : {}
  );

const many = (count: number): CpuidEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    function: 0x40000100 + index,
    index: 0,
    flags: 0,
    eax: 0,
    ebx: 0,
    ecx: 0,
    edx: 0,
  }));

const rows: Record<string, Row> = {
  "48-bit-addresses": { entries: linear(48), answer: "" },
  "57-bit-addresses": { entries: linear(57), answer: "" },
  "no-address-width": { entries: linear(0), answer: "" },
  "47-bit-addresses": { entries: linear(47), answer: "-> EINVAL" },
  "64-bit-addresses": { entries: linear(64), answer: "-> EINVAL" },
  "256-entries": { entries: () => many(256), answer: "" },
  "257-entries": { entries: () => many(257), answer: "-> E2BIG" },
  none: { entries: () => [], answer: "" },
};

/** KVM_SET_CPUID2 refuses what no vCPU can have, and more leaves than it takes. */
export default defineCases("cpuid/set-refused", rows, ({ entries, answer }) => ({
  spec: "KVM API 4.20: KVM_SET_CPUID2",
  mode: "real",
  guest: asm`hlt`,
  drive: ({ vcpu, attempt }) => attempt(() => vcpu.setCpuid(entries())),
  trace: `
    > set-cpuid ${answer}
    hlt
  `,
}));
