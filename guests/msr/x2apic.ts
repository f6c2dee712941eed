import { asm, type CaseDefinition, defineCases } from "../../mod.ts";
import { accepted, msrSteps, refused, type Step } from "./_access.ts";

const rows: Record<string, { index: number; steps: readonly Step[] }> = {
  // The id is the vCPU's and can only be read.
  id: { index: 0x802, steps: [{ reads: 0n }, ...refused(0n, 0n, 1n)] },
  // Version 0x14 and up, six LVT entries at least; read-only.
  version: { index: 0x803, steps: [{ reads: "*" }, ...refused("*", 0x14n)] },
  "task-priority": {
    index: 0x808,
    steps: [...accepted(0x10n, 0xf0n, 0x0n), ...refused(0x0n, 1n << 32n)],
  },
  "processor-priority": { index: 0x80a, steps: [{ reads: 0n }, ...refused(0n, 0n, 0x20n)] },
  // Written with 0 alone, and never read.
  "end-of-interrupt": {
    index: 0x80b,
    steps: [{ write: 0n }, { write: 1n << 32n, fault: true }, { fault: true }],
  },
  // Cluster 0, first of its sixteen; read-only.
  "logical-destination": { index: 0x80d, steps: [{ reads: 1n }, ...refused(1n, 1n, 2n)] },
  // x2APIC has no destination format.
  "destination-format": {
    index: 0x80e,
    steps: [{ fault: true }, { write: 0xffffffffn, fault: true }],
  },
  "spurious-vector": {
    index: 0x80f,
    steps: [...accepted(0x1ffn, 0xffn, 0x1f0n), ...refused(0x1f0n, 1n << 32n)],
  },
  "in-service": { index: 0x810, steps: [{ reads: 0n }, ...refused(0n, 0n, 1n)] },
  "in-service-last": { index: 0x817, steps: [{ reads: 0n }, ...refused(0n, 1n)] },
  "trigger-mode": { index: 0x818, steps: [{ reads: 0n }, ...refused(0n, 1n)] },
  "request": { index: 0x820, steps: [{ reads: 0n }, ...refused(0n, 1n)] },
  "request-last": { index: 0x827, steps: [{ reads: 0n }, ...refused(0n, 1n)] },
  "error-status": {
    index: 0x828,
    steps: [{ write: 0n, reads: 0n }, ...refused(0n, 1n, 0x80n, 1n << 32n)],
  },
  // A message to nobody here, with all that can be set; each reserved bit is refused.
  "interrupt-command": {
    index: 0x830,
    steps: [
      { reads: 0n },
      ...accepted(0x5_0000c1f1n, 0xfffffffe_000048f2n, 0x7_00004651n),
      ...refused(
        0x7_00004651n,
        ...[13n, 16n, 17n, 20n, 21n, 24n, 28n, 31n].map((bit) => 0x9_000040f3n | 1n << bit),
      ),
    ],
  },
  "lvt-timer": {
    index: 0x832,
    // Masked while SVR disables the APIC: the mask cannot be cleared.
    steps: [{ write: 0x1003an, reads: 0x1003an }, { write: 0x3bn, reads: 0x1003bn }],
  },
  // KVM starts LINT0 as if firmware had: external interrupts of the PIC (KVM API 7.28).
  "lvt-lint0": { index: 0x835, steps: [{ reads: 0x700n }, { write: 0x100f1n, reads: 0x100f1n }] },
  "lvt-lint1": { index: 0x836, steps: [{ reads: 0x10000n }, { write: 0x104f2n, reads: 0x104f2n }] },
  "lvt-error": { index: 0x837, steps: [{ reads: 0x10000n }, { write: 0x100f3n, reads: 0x100f3n }] },
  "lvt-thermal": {
    index: 0x833,
    steps: [{ reads: 0x10000n }, { write: 0x100f4n, reads: 0x100f4n }],
  },
  "lvt-performance": {
    index: 0x834,
    steps: [{ reads: 0x10000n }, { write: 0x100f5n, reads: 0x100f5n }],
  },
  // In x2APIC mode the interrupt command is one register of 64 bits.
  "interrupt-command-high": { index: 0x831, steps: [{ fault: true }, { write: 0n, fault: true }] },
  "initial-count": {
    index: 0x838,
    steps: [{ reads: 0n }, { write: 1n << 32n, fault: true, reads: 0n }, { write: 0n, reads: 0n }],
  },
  "current-count": { index: 0x839, steps: [{ reads: 0n }, ...refused(0n, 5n)] },
  "divide": {
    index: 0x83e,
    steps: accepted(0x0n, 0x1n, 0x2n, 0x3n, 0x8n, 0x9n, 0xan, 0xbn),
  },
  // Write-only.
  "self-ipi": {
    index: 0x83f,
    steps: [
      { fault: true },
      ...[0x100n, 1n << 31n, 0x51n << 32n].map((write) => ({ write, fault: true as const })),
    ],
  },
  // No register.
  "below-the-id": { index: 0x801, steps: [{ fault: true }, { write: 0n, fault: true }] },
  "arbitration-priority": { index: 0x809, steps: [{ fault: true }, { write: 0n, fault: true }] },
  "remote-read": { index: 0x80c, steps: [{ fault: true }, { write: 0n, fault: true }] },
  "behind-the-last": { index: 0x840, steps: [{ fault: true }, { write: 0n, fault: true }] },
};

/** Each register of the local APIC in x2APIC mode: what is read, taken, and met by #GP(0). */
export default defineCases("msr/x2apic", rows, ({ index, steps }) => ({
  spec: [
    "SDM 3A 10.12.1.2: x2APIC register address space",
    "SDM 3A 10.12.1.3: reserved bit checking",
  ],
  irqchip: "kernel",
  requires: [{ cpuid: "X2APIC" }, { parameter: "kvm.ignore_msrs", value: "N" }],
  ...inX2apicMode(msrSteps(index, steps)),
}));

/** Puts the switch to x2APIC mode before a guest. */
function inX2apicMode(
  steps: ReturnType<typeof msrSteps>,
): Pick<CaseDefinition, "guest" | "handlers" | "trace" | "mode"> {
  return {
    ...steps,
    guest: asm`
      mov ecx, 0x1b
      mov eax, 0xfee00d00
      xor edx, edx
      wrmsr
      ${steps.guest}
    `,
    trace: `${steps.trace}\n= apic-base 0xfee00d00`,
  };
}
