import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { FAST, header, identify, repetitions } from "./_words.ts";

interface Leaf {
  eax?: number;
  ebx?: number;
  edx?: number;
}

interface Row {
  /** The input value; the parameters are 0. */
  input: bigint;
  /** Leaf 0x40000003, beside the hypercall registers, and leaf 0x40000004. */
  features?: Leaf;
  recommended?: Leaf;
  /** The status: 6 is access denied. */
  status?: bigint;
  /** #UD instead. */
  undefined?: true;
}

const DENIED = 6n, INVALID_INPUT = 3n, INVALID_CODE = 2n;
const every = -1;
const but = (bit: number) => ~(1 << bit);
const only = (...bits: readonly number[]) => bits.reduce((all, bit) => all | 1 << bit, 0);

const rows: Record<string, Row> = {
  "spin-wait": { input: 8n | FAST, recommended: { ebx: 0xfff }, status: 0n },
  // 0 and all ones: never.
  "spin-wait-0": { input: 8n | FAST, recommended: { ebx: 0 }, status: DENIED },
  "spin-wait-never": { input: 8n | FAST, recommended: { ebx: -1 }, status: DENIED },
  "post-message": { input: 0x5cn, features: { ebx: only(4) }, status: INVALID_INPUT },
  "post-message-denied": { input: 0x5cn, features: { ebx: but(4) }, status: DENIED },
  "signal-event": { input: 0x5dn | FAST, features: { ebx: only(5) }, status: INVALID_INPUT },
  "signal-event-denied": { input: 0x5dn | FAST, features: { ebx: but(5) }, status: DENIED },
  "flush": { input: 2n, recommended: { eax: only(2) }, status: 0n },
  "flush-denied": { input: 2n, recommended: { eax: but(2) }, status: DENIED },
  "flush-list-denied": { input: 3n | repetitions(1), recommended: { eax: but(2) }, status: DENIED },
  "flush-set": { input: 0x13n, recommended: { eax: only(2, 11) }, status: 0n },
  "flush-set-no-sets": { input: 0x13n, recommended: { eax: but(11) }, status: DENIED },
  "flush-set-denied": { input: 0x13n, recommended: { eax: but(2) }, status: DENIED },
  "flush-list-set-no-sets": {
    input: 0x14n | repetitions(1),
    recommended: { eax: but(11) },
    status: DENIED,
  },
  "send-ipi": { input: 0xbn, recommended: { eax: only(10) }, status: INVALID_INPUT },
  "send-ipi-denied": { input: 0xbn, recommended: { eax: but(10) }, status: DENIED },
  "send-ipi-set": { input: 0x15n, recommended: { eax: only(10, 11) }, status: 0n },
  "send-ipi-set-no-sets": { input: 0x15n, recommended: { eax: but(11) }, status: DENIED },
  "send-ipi-set-denied": { input: 0x15n, recommended: { eax: but(10) }, status: DENIED },
  "extended-denied": { input: 0x8001n, features: { ebx: but(20) }, status: DENIED },
  "extended-last-denied": { input: 0x8041n, features: { ebx: but(20) }, status: DENIED },
  "behind-extended": { input: 0x8042n, features: { ebx: but(20) }, status: INVALID_CODE },
  // The debugger's: without it there is no such code.
  "debug-data": { input: 0x69n, features: { ebx: 0 }, status: INVALID_CODE },
  "debug-reset": { input: 0x6bn, features: { ebx: 0 }, status: INVALID_CODE },
  "debug-data-fast": { input: 0x6an | FAST, features: { ebx: 0 }, status: 5n },
  // Parameters in XMM registers.
  "vector-input": {
    input: 0x15n | FAST,
    features: { edx: only(4) },
    recommended: { eax: every },
    status: 0n,
  },
  "vector-input-denied": {
    input: 0x15n | FAST,
    features: { edx: but(4) },
    recommended: { eax: every },
    undefined: true,
  },
  "vector-input-flush-denied": {
    input: 0x3n | FAST | repetitions(1),
    features: { edx: but(4) },
    recommended: { eax: every },
    undefined: true,
  },
  // Two registers are enough for this one.
  "no-vector-input": {
    input: 0xbn | FAST,
    features: { edx: but(4) },
    recommended: { eax: every },
    status: INVALID_INPUT,
  },
  "header-without-set": {
    input: 0x2n | header(1),
    recommended: { eax: every },
    status: INVALID_INPUT,
  },
};

/** With KVM_CAP_HYPERV_ENFORCE_CPUID a hypercall is there where CPUID shows it, and only there. */
export default defineCases("hyperv/enforced-hypercall", byEachCall(rows), ({ row, call }) => {
  const { input, features = {}, recommended = {}, status = 0n } = row;
  const undefinedCode = row.undefined === true;
  return {
    spec: [
      "KVM API 7.25: KVM_CAP_HYPERV_ENFORCE_CPUID",
      "TLFS 2.4.4 and 2.4.5: features and recommendations, leaves 0x40000003 and 0x40000004",
      "TLFS 3.12: hypercall status codes",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, "KVM_CAP_HYPERV_ENFORCE_CPUID", call.requires],
    machine: { cr4: { set: 0x200n } },
    ...underHyperv({
      handlers: { 6: "handler" },
      guest: asm`
        ${identify}
        xorps xmm0, xmm0
        mov rcx, ${input}
        mov edx, 0xb000
        mov r8d, 0
        ${(input & FAST) === 0n ? "" : "xor edx, edx"}
        calling:
        ${call.instruction}
        out 0xf4, al
        handler:
        out 0x06, al
      `,
      trace: ({ calling }) => `
        > set-cpuid
        > enable hyperv-enforce-cpuid 0x1
        ${
        undefinedCode
          ? `pio out 0x6 u8 0x1
             = rax 0x1
             = rsp 0x7fd8
             = mem 0x7fd8 u64 [${calling} 0x28 0x10046 0x8000 0x30]`
          : `pio out 0xf4 u8 0x${status.toString(16)}\n= rax 0x${status.toString(16)}`
      }
        = rcx 0x${input.toString(16)}
        ${(input & FAST) === 0n ? "= rdx 0xb000" : "= rflags 0x46\n= rdx 0x0"}
        = r8 0x0
        = xmm0.low 0x0
        = xmm0.high 0x0
      `,
    }, ({ vcpu }) => {
      const shown: Record<number, Leaf> = {
        // Bit 5 of EAX: the registers that establish hypercalls.
        0x40000003: { eax: 1 << 5, ebx: features.ebx ?? 0, edx: features.edx ?? 0 },
        0x40000004: { eax: recommended.eax ?? 0, ebx: recommended.ebx ?? 0 },
        0x40000082: { eax: 0 },
      };
      vcpu.setCpuid(
        vcpu.cpuid().map((entry) => {
          const { eax, ebx, edx } = { ...entry, ...shown[entry.function] };
          return { ...entry, eax: eax >>> 0, ebx: ebx >>> 0, edx: edx >>> 0 };
        }),
      );
      vcpu.enableCapability("KVM_CAP_HYPERV_ENFORCE_CPUID", 1);
    }),
  };
});
