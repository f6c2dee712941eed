import { asm, defineCases } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

interface Row {
  /** What differs from the state behind RESET. */
  selector?: number;
  base?: bigint;
  rip?: bigint;
  protection?: true;
  /** KVM_GET_MP_STATE then. */
  then: number;
}

const [RUNNABLE, HALTED] = [0, 3];

const rows: Record<string, Row> = {
  exact: { then: RUNNABLE },
  "another-selector": { selector: 0xe000, then: HALTED },
  "another-base": { base: 0xf0000n, then: HALTED },
  "another-rip": { rip: 0xfff1n, then: HALTED },
  "protected-mode": { protection: true, then: HALTED },
};

/** A halted boot processor that is put where RESET puts it runs again (older user space's reset). */
export default defineCases("state/reset", rows, ({ selector, base, rip, protection, then }) => ({
  spec: [
    "SDM 3A 10.1.4: first instruction executed (CS, EIP behind RESET)",
    "KVM API 4.13: KVM_SET_SREGS",
    "KVM API 4.38: KVM_GET_MP_STATE",
  ],
  mode: "real",
  requires: ["KVM_CAP_IRQCHIP", "KVM_CAP_MP_STATE"],
  guest: asm`hlt`,
  drive: ({ assertEquals }) => {
    using vm = freshVm({ note: () => {} });
    vm.irq.createIrqchip();
    const vcpu = vm.createVcpu();
    vcpu.setMpState(HALTED);
    assertEquals("halted", vcpu.mpState(), HALTED);
    const sregs = vcpu.sregs();
    vcpu.setRegs({ ...vcpu.regs(), rip: rip ?? 0xfff0n });
    vcpu.setSregs({
      ...sregs,
      cr0: protection ? 0x60000011n : 0x60000010n,
      cs: { ...sregs.cs, selector: selector ?? 0xf000, base: base ?? 0xffff0000n },
    });
    assertEquals("KVM_GET_MP_STATE", vcpu.mpState(), then);
  },
  trace: `hlt`,
}));
