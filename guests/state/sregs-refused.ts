import { asm, defineCases, EFER, type SystemRegisters } from "../../mod.ts";

const rows: Record<string, (before: SystemRegisters) => Partial<SystemRegisters>> = {
  "long-code-in-protected": ({ cs }) => ({ cs: { ...cs, l: 1, db: 0 } }),
  "lma-in-protected": ({ efer }) => ({ efer: efer | EFER.LMA }),
  "apic-base-reserved-low": ({ apic_base }) => ({ apic_base: apic_base | 0x1n }),
  "apic-base-reserved-high": ({ apic_base }) => ({ apic_base: apic_base | 1n << 62n }),
  // x2APIC mode without the enable bit is no mode (SDM 3A 11.12.1).
  "apic-base-x2apic-disabled": ({ apic_base }) => ({ apic_base: apic_base & ~0x800n | 0x400n }),
};

/** KVM_SET_SREGS and KVM_SET_SREGS2 refuse what no CPU can have, and leave the vCPU alone. */
export default defineCases("state/sregs-refused", rows, (change) => ({
  spec: ["KVM API 4.14: KVM_SET_SREGS", "KVM API 4.132: KVM_SET_SREGS2", "SDM 3A 2.2.1: EFER"],
  mode: "protected",
  requires: ["KVM_CAP_SREGS2"],
  guest: asm`hlt`,
  drive({ vcpu, attempt, assertEquals }) {
    const before = vcpu.sregs();
    attempt(() => vcpu.setSregs({ ...before, ...change(before) }));
    attempt(() => vcpu.setSregs2({ ...vcpu.sregs2(), ...change(before) }));
    assertEquals("the registers after the refusal", vcpu.sregs(), before);
  },
  trace: `
    > set-sregs -> EINVAL
    > set-sregs2 -> EINVAL
    hlt
  `,
}));
