import { asm, defineCases } from "../../mod.ts";
import { cpuidTable } from "./_cpuid_table.ts";

/** What CPUID is asked (leaf, subleaf) and what EAX, EBX, ECX and EDX are then. */
const rows = {
  "highest-leaf": { ask: [0x0, 0x0], answer: [0x5, 0x756e6547, 0x6c65746e, 0x49656e69] },
  plain: { ask: [0x2, 0x0], answer: [0xf2000001, 0x82000002, 0xa2000003, 0xb2000004] },
  // Where the subleaf does not matter, ECX is not looked at.
  "subleaf-ignored": { ask: [0x2, 0x7], answer: [0xf2000001, 0x82000002, 0xa2000003, 0xb2000004] },
  "subleaf-0": { ask: [0x4, 0x0], answer: [0x84000011, 0x94000012, 0xa4000013, 0xb4000014] },
  "subleaf-1": { ask: [0x4, 0x1], answer: [0x84000021, 0x94000022, 0xa4000023, 0xb4000024] },
  "subleaf-absent": { ask: [0x4, 0x2], answer: [0x0, 0x0, 0x0, 0x0] },
  "leaf-absent": { ask: [0x3, 0x0], answer: [0x0, 0x0, 0x0, 0x0] },
  hypervisor: { ask: [0x40000000, 0x0], answer: [0x40000001, 0x94000031, 0xa4000032, 0xb4000033] },
  extended: { ask: [0x80000003, 0x0], answer: [0xc3c2c1c0, 0xc7c6c5c4, 0xcbcac9c8, 0xcfcecdcc] },
} as const;

/** CPUID answers what KVM_SET_CPUID2 set, clears the upper halves, and does not exit. */
export default defineCases("exit/cpuid", rows, ({ ask: [leaf, subleaf], answer }) => ({
  spec: ["KVM API 4.20: KVM_SET_CPUID2", "KVM API 4.46: kvm_cpuid_entry2", "SDM 2A: CPUID"],
  mode: "long",
  machine: { rflags: { set: 0x8d5n } },
  registers: {
    rax: 0xaaaaaaaa00000000n | BigInt(leaf),
    rbx: 0xbbbbbbbbbbbbbbbbn,
    rcx: 0xcccccccc00000000n | BigInt(subleaf),
    rdx: 0xddddddddddddddddn,
  },
  guest: asm`
    cpuid
    hlt
  `,
  drive: ({ vcpu }) => vcpu.setCpuid(cpuidTable("intel")),
  trace: `
    > set-cpuid
    hlt
    = rax 0x${answer[0].toString(16)}
    = rbx 0x${answer[1].toString(16)}
    = rcx 0x${answer[2].toString(16)}
    = rdx 0x${answer[3].toString(16)}
  `,
}));
