import { asm, type CapabilityName, defineCases, type Requirement } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

interface Row {
  readonly capability: CapabilityName;
  readonly clause: string;
  /** What is enabled in turn, each with its arguments and KVM's answer. */
  readonly calls: readonly (readonly [args: readonly bigint[], answer?: string])[];
  /** Before that, the VM gets an interrupt controller. */
  readonly irqchip?: true;
  /** Before that, the VM gets a vCPU. */
  readonly vcpu?: true;
  readonly requires?: readonly Requirement[];
  /** The host need not have the capability. */
  readonly absent?: true;
}

const EINVAL = "EINVAL";

const rows: Record<string, Row> = {
  "split-irqchip": {
    capability: "KVM_CAP_SPLIT_IRQCHIP",
    clause: "7.5",
    calls: [[[24n]], [[24n], "EEXIST"]],
  },
  "split-irqchip-no-pins": { capability: "KVM_CAP_SPLIT_IRQCHIP", clause: "7.5", calls: [[[0n]]] },
  "split-irqchip-beside-kernel": {
    capability: "KVM_CAP_SPLIT_IRQCHIP",
    clause: "7.5",
    irqchip: true,
    calls: [[[24n], "EEXIST"]],
  },
  "split-irqchip-after-vcpu": {
    capability: "KVM_CAP_SPLIT_IRQCHIP",
    clause: "7.5",
    vcpu: true,
    calls: [[[24n], "EEXIST"]],
  },
  "x2apic-api": {
    capability: "KVM_CAP_X2APIC_API",
    clause: "7.7",
    calls: [[[0n]], [[1n]], [[2n]], [[3n]], [[4n], EINVAL], [[1n << 32n], EINVAL]],
  },
  "disable-exits": {
    capability: "KVM_CAP_X86_DISABLE_EXITS",
    clause: "7.13",
    calls: [[[0n]], [[2n]], [[1n << 8n], EINVAL], [[1n << 63n], EINVAL]],
  },
  "msr-platform-info": {
    capability: "KVM_CAP_MSR_PLATFORM_INFO",
    clause: "7.15",
    calls: [[[0n]], [[1n]]],
  },
  "exception-payload": {
    capability: "KVM_CAP_EXCEPTION_PAYLOAD",
    clause: "7.17",
    calls: [[[1n]], [[0n]]],
  },
  "manual-dirty-log-protect": {
    capability: "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2",
    clause: "7.18",
    calls: [[[1n]], [[3n]], [[0n]]],
  },
  // KVM_DIRTY_LOG_INITIALLY_SET is not available without KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE.
  "initially-set-alone": {
    capability: "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2",
    clause: "7.18",
    calls: [[[2n], EINVAL], [[4n], EINVAL], [[5n], EINVAL]],
  },
  "halt-poll": {
    capability: "KVM_CAP_HALT_POLL",
    clause: "7.20 (KVM_CAP_HALT_POLL; virt/kvm/kvm_main.c: 32 bits)",
    calls: [[[0n]], [[200_000n]], [[0xffffffffn]], [[1n << 32n], EINVAL]],
  },
  "user-space-msr": {
    capability: "KVM_CAP_X86_USER_SPACE_MSR",
    clause: "7.21",
    calls: [[[7n]], [[0n]], [[8n], EINVAL], [[1n << 32n], EINVAL]],
  },
  "bus-lock-exit": {
    capability: "KVM_CAP_X86_BUS_LOCK_EXIT",
    clause: "7.22",
    calls: [[[1n]], [[2n]], [[3n], EINVAL], [[4n], EINVAL]],
  },
  "exit-on-emulation-failure": {
    capability: "KVM_CAP_EXIT_ON_EMULATION_FAILURE",
    clause: "7.27",
    calls: [[[1n]], [[0n]], [[2n], EINVAL], [[1n << 32n], EINVAL]],
  },
  // -1 is no descriptor.
  "copy-encryption-context": {
    capability: "KVM_CAP_VM_COPY_ENC_CONTEXT_FROM",
    clause: "7.24",
    absent: true,
    calls: [[[0xffffffffn], "EBADF|EINVAL|ENOTTY"]],
  },
  "move-encryption-context": {
    capability: "KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM",
    clause: "7.29",
    absent: true,
    calls: [[[0xffffffffn], "EBADF|EINVAL|ENOTTY"]],
  },
  "sgx-attribute": {
    capability: "KVM_CAP_SGX_ATTRIBUTE",
    clause: "7.25",
    absent: true,
    calls: [[[0xffffffffn], "EBADF|EINVAL"]],
  },
  "disable-quirks": {
    capability: "KVM_CAP_DISABLE_QUIRKS2",
    clause: "7.31",
    calls: [[[0n]], [[1n]], [[1n << 63n], EINVAL], [[1n << 63n | 1n], EINVAL]],
  },
  "max-vcpu-id": {
    capability: "KVM_CAP_MAX_VCPU_ID",
    clause: "7.32",
    calls: [[[2n]], [[2n]], [[3n], EINVAL]],
  },
  "max-vcpu-id-too-high": {
    capability: "KVM_CAP_MAX_VCPU_ID",
    clause: "7.32",
    calls: [[[1n << 32n], EINVAL], [[0x7fffffffn], EINVAL]],
  },
  "notify-vmexit-nothing": {
    capability: "KVM_CAP_X86_NOTIFY_VMEXIT",
    clause: "7.33",
    absent: true,
    calls: [[[0n], EINVAL], [[4n], EINVAL]],
  },
  "notify-vmexit": {
    capability: "KVM_CAP_X86_NOTIFY_VMEXIT",
    clause: "7.33",
    calls: [[[1n << 32n | 1n]], [[1n << 32n | 3n]]],
  },
  "memory-fault-info": {
    capability: "KVM_CAP_MEMORY_FAULT_INFO",
    clause: "7.34 (informational only)",
    calls: [[[], EINVAL]],
  },
  "apic-bus-cycles": {
    capability: "KVM_CAP_X86_APIC_BUS_CYCLES_NS",
    clause: "7.35",
    irqchip: true,
    calls: [[[1n]], [[40n]], [[0n], EINVAL], [[1n << 63n], EINVAL]],
  },
  "apic-bus-cycles-without-irqchip": {
    capability: "KVM_CAP_X86_APIC_BUS_CYCLES_NS",
    clause: "7.35",
    calls: [[[40n], "ENXIO"]],
  },
  "apic-bus-cycles-after-vcpu": {
    capability: "KVM_CAP_X86_APIC_BUS_CYCLES_NS",
    clause: "7.35",
    irqchip: true,
    vcpu: true,
    calls: [[[40n], EINVAL]],
  },
  "guest-mode": {
    capability: "KVM_CAP_X86_GUEST_MODE",
    clause: "7.36 (informational only)",
    calls: [[[], EINVAL]],
  },
  "dirty-ring": {
    capability: "KVM_CAP_DIRTY_LOG_RING",
    clause: "8.29",
    calls: [
      [[0n], EINVAL],
      [[0x10001n], EINVAL],
      [[0x18000n], EINVAL],
      // Below a page.
      [[0x800n], EINVAL],
      [[0x10000n]],
      // Once.
      [[0x10000n], EINVAL],
    ],
  },
  "dirty-ring-after-vcpu": {
    capability: "KVM_CAP_DIRTY_LOG_RING",
    clause: "8.29",
    vcpu: true,
    calls: [[[0x10000n], EINVAL]],
  },
  "dirty-ring-ordered": {
    capability: "KVM_CAP_DIRTY_LOG_RING_ACQ_REL",
    clause: "8.29",
    calls: [[[0x10000n]]],
  },
  // x86 dirties no page without a vCPU's ring.
  "dirty-ring-with-bitmap": {
    capability: "KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP",
    clause: "8.29",
    absent: true,
    calls: [[[], EINVAL]],
  },
  "exit-hypercall": {
    capability: "KVM_CAP_EXIT_HYPERCALL",
    clause: "8.34",
    calls: [[[0n]], [[1n << 12n]], [[1n], EINVAL], [[1n << 63n], EINVAL]],
  },
  "pmu-capability": {
    capability: "KVM_CAP_PMU_CAPABILITY",
    clause: "8.35",
    calls: [[[1n]], [[0n]], [[2n], EINVAL]],
  },
  "pmu-capability-after-vcpu": {
    capability: "KVM_CAP_PMU_CAPABILITY",
    clause: "8.35",
    vcpu: true,
    calls: [[[1n], EINVAL]],
  },
  "disable-nx-huge-pages": {
    capability: "KVM_CAP_VM_DISABLE_NX_HUGE_PAGES",
    clause: "8.38",
    calls: [[[1n], EINVAL], [[0n]]],
  },
  "disable-nx-huge-pages-after-vcpu": {
    capability: "KVM_CAP_VM_DISABLE_NX_HUGE_PAGES",
    clause: "8.38",
    vcpu: true,
    calls: [[[0n], EINVAL]],
  },
  "triple-fault-event": {
    capability: "KVM_CAP_X86_TRIPLE_FAULT_EVENT",
    clause: "4.37, 4.32",
    calls: [[[1n]], [[0n]]],
  },
  // Of a vCPU, not of a VM.
  "of-a-vcpu": {
    capability: "KVM_CAP_ENFORCE_PV_FEATURE_CPUID",
    clause: "8.28",
    calls: [[[1n], EINVAL]],
  },
  // A fact that KVM tells, nothing that it does.
  "nothing-to-enable": {
    capability: "KVM_CAP_USER_MEMORY",
    clause: "3",
    calls: [[[], EINVAL]],
  },
};

/** KVM_ENABLE_CAP takes a capability's documented arguments, and no others. */
export default defineCases("system/enable-capability", rows, (row) => {
  const name = row.capability.replace(/^KVM_CAP_/, "").toLowerCase().replaceAll("_", "-");
  return {
    spec: [`KVM API ${row.clause}: ${row.capability}`, "KVM API 4.37: KVM_ENABLE_CAP"],
    mode: "real",
    requires: [
      ...(row.absent ? [] : [row.capability]),
      ...(row.irqchip ? ["KVM_CAP_IRQCHIP" as const] : []),
    ],
    guest: asm`hlt`,
    drive(context) {
      using vm = freshVm(context);
      if (row.irqchip) vm.irq.createIrqchip();
      if (row.vcpu) vm.createVcpu();
      for (const [args] of row.calls) {
        context.attempt(() => vm.enableCapability(row.capability, ...args));
      }
    },
    trace: `
      ${row.irqchip ? "> irqchip" : ""}
      ${
      row.calls.map(([args, answer]) =>
        `> enable ${name} ${args.map((word) => `0x${word.toString(16)}`).join(" ")} ${
          answer === undefined ? "" : `-> ${answer}`
        }`
      ).join("\n")
    }
      hlt
    `,
  };
});
