import { asm, defineCases } from "../../mod.ts";

/** KVM_MSR_EXIT_REASON_FILTER. */
const FILTER = 4;

const rows = {
  "before-x2apic": { index: 0x7ff, filtered: true },
  "x2apic-first": { index: 0x800, filtered: false },
  "x2apic-last": { index: 0x8ff, filtered: false },
  "behind-x2apic": { index: 0x900, filtered: true },
};

/** The x2APIC's MSRs are 0x800 to 0x8ff: those a filter cannot deny, and their neighbours it does. */
export default defineCases("msr/filter-edge", rows, ({ index, filtered }) => ({
  spec: [
    "KVM API 4.97: KVM_X86_SET_MSR_FILTER (x2APIC MSR accesses cannot be filtered)",
    "SDM 3A 11.12.1: x2APIC MSRs (800H to 8FFH); #GP outside x2APIC mode",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: [
    "KVM_CAP_X86_MSR_FILTER",
    "KVM_CAP_X86_USER_SPACE_MSR",
    { parameter: "kvm.ignore_msrs", value: "N" },
  ],
  handlers: { 13: "fault" },
  registers: { rcx: BigInt(index) },
  guest: asm`
    access:
    rdmsr
    out 0xf4, al
    fault:
    out 0xf4, al
  `,
  drive: ({ vm }) => {
    vm.enableCapability("KVM_CAP_X86_USER_SPACE_MSR", FILTER);
    vm.setMsrFilter({
      otherwise: "deny",
      ranges: [{ access: "read-write", base: 0x7f0, count: 0x200, allowed: new Uint8Array(64) }],
    });
  },
  trace: ({ access }) => `
    > enable x86-user-space-msr 0x${FILTER}
    > msr-filter otherwise-deny read-write=0x7f0
    ${
    filtered
      ? `
        rdmsr 0x${index.toString(16)} reason=filter -> 0x4433221187654321
        pio out 0xf4 u8 0x21
        = rax 0x87654321
        = rdx 0x44332211
      `
      : `
        pio out 0xf4 u8 0x0
        = rsp 0x7fd0
        = mem 0x7fd0 u64 [0x0 ${access} 0x28 0x10002 0x8000 0x30]
      `
  }
  `,
}));
