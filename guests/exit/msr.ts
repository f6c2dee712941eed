import { asm, defineCases } from "../../mod.ts";

interface Row {
  index: number;
  /** What is written; both halves where the MSR holds 64 bits. */
  value: bigint;
  /** What changes beside the MSR. */
  effect?: string;
}

const rows: Record<string, Row> = {
  "sysenter-cs": { index: 0x174, value: 0x28n },
  "sysenter-esp": { index: 0x175, value: 0x76543210n },
  "sysenter-eip": { index: 0x176, value: 0x6dcba987n },
  // The eight memory types, each of them valid, in another order than at reset.
  pat: { index: 0x277, value: 0x0001040506070006n },
  star: { index: 0xc0000081, value: 0x3b0028_89abcdefn },
  lstar: { index: 0xc0000082, value: 0xffff_8765_4321_0fedn },
  cstar: { index: 0xc0000083, value: 0x0000_7654_3210_fedcn },
  "syscall-mask": { index: 0xc0000084, value: 0x47700n },
  "fs-base": {
    index: 0xc0000100,
    value: 0xffff_8765_4321_0fedn,
    effect: "= fs.base 0xffff876543210fed",
  },
  "gs-base": {
    index: 0xc0000101,
    value: 0x0000_7654_3210_fedcn,
    effect: "= gs.base 0x76543210fedc",
  },
  "kernel-gs-base": { index: 0xc0000102, value: 0xffff_9654_3210_fedcn },
};

/** WRMSR sets an MSR for RDMSR, for the host and for the CPU, and neither exits. */
export default defineCases("exit/msr", rows, ({ index, value, effect = "" }) => ({
  spec: ["SDM 2B: RDMSR", "SDM 2C: WRMSR", "KVM API 4.18: KVM_GET_MSRS"],
  mode: "long",
  machine: { rflags: { set: 0x8d5n } },
  // The upper halves of RAX and RDX are ignored by WRMSR, and RDMSR clears them.
  registers: {
    rax: 0x1111111100000000n | value & 0xffffffffn,
    rcx: BigInt(index),
    rdx: 0x3333333300000000n | value >> 32n,
  },
  guest: asm`
    wrmsr
    mov rax, -1
    mov rdx, -1
    rdmsr
    hlt
  `,
  trace: `
    hlt
    = rax 0x${(value & 0xffffffffn).toString(16)}
    = rcx 0x${index.toString(16)}
    = rdx 0x${(value >> 32n).toString(16)}
    = msr.0x${index.toString(16)} 0x${value.toString(16)}
    ${effect}
  `,
}));
