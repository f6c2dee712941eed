import { asm, defineCases, type Irqchip } from "../../mod.ts";
import { offered } from "../cpuid/_without.ts";

interface Register {
  readonly index: number;
  /** Bit of EAX in KVM's CPUID leaf of features. */
  readonly feature: number;
  readonly irqchip?: Irqchip;
  /** What is read before anything is written; default 0. */
  readonly reset?: number;
}

const registers: Record<string, Register> = {
  "wall-clock": { index: 0x11, feature: 0 },
  "system-time": { index: 0x12, feature: 0 },
  "wall-clock-new": { index: 0x4b564d00, feature: 3 },
  "system-time-new": { index: 0x4b564d01, feature: 3 },
  "async-page-fault": { index: 0x4b564d02, feature: 4 },
  "steal-time": { index: 0x4b564d03, feature: 5 },
  "end-of-interrupt": { index: 0x4b564d04, feature: 6, irqchip: "kernel" },
  "poll-control": { index: 0x4b564d05, feature: 12, reset: 1 },
  "async-page-fault-vector": { index: 0x4b564d06, feature: 14, irqchip: "kernel" },
  "async-page-fault-acknowledge": { index: 0x4b564d07, feature: 14, irqchip: "kernel" },
};

/** The leaf of features shows this one alone, or all but this one. */
const rows = Object.fromEntries(
  Object.entries(registers).flatMap(([name, register]) => [
    [`${name}-alone`, { ...register, there: true }],
    [`${name}-absent`, { ...register, there: false }],
  ]),
);

/**
 * Once it is told to, KVM keeps to its CPUID leaf of features: the MSRs of one that the leaf does not
 * show raise #GP(0), and what is written to them is not taken.
 */
export default defineCases(
  "paravirt/enforced-register",
  rows,
  ({ index, feature, irqchip, reset = 0, there }) => {
    const [shown, hidden] = there
      ? [(1 << feature) >>> 0, ~(1 << feature) >>> 0]
      : [~(1 << feature) >>> 0, (1 << feature) >>> 0];
    return {
      spec: [
        "KVM API 8.28: KVM_CAP_ENFORCE_PV_FEATURE_CPUID",
        "KVM x86 CPUID: KVM_FEATURE_*",
        "KVM x86 MSRs: MSR_KVM_*",
      ],
      mode: "long",
      irqchip,
      requires: [
        "KVM_CAP_ENFORCE_PV_FEATURE_CPUID",
        { parameter: "kvm.ignore_msrs", value: "N" },
      ],
      handlers: { 13: "fault" },
      registers: { rcx: BigInt(index), rax: 0x5555n, rdx: 0x6666n },
      guest: asm`
        mov esi, read
        rdmsr
        read:
        mov [0xa000], eax
        mov [0xa004], edx
        mov esi, written
        xor eax, eax
        xor edx, edx
        wrmsr
        written:
        out 0xf4, al
        fault:
        inc ebx
        pop rdi
        mov esp, 0x8000
        jmp rsi
      `,
      drive({ vcpu }) {
        const leaf = shown & ~hidden;
        vcpu.setCpuid(offered(({ function: number, eax }) =>
          // What KVM does not offer cannot be shown.
          number === 0x40000001 ? { eax: there ? leaf : eax & leaf } : {}
        ));
        vcpu.enableCapability("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", 1);
      },
      trace: `
        > set-cpuid
        > enable enforce-pv-feature-cpuid 0x1
        pio out 0xf4 u8 0x0
        = rax 0x0
        = rdx 0x0
        = rsi *
        = rflags ${there ? "0x46" : "0x2"}
        ${
        there ? `= mem 0xa000 u64 0x${reset.toString(16)}` : `
            = rbx 0x2
            = mem 0xa000 u32 [0x5555 0x6666]
            = mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]
          `
      }
      `,
    };
  },
);
