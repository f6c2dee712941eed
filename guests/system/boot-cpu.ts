import { asm, defineCases } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** IA32_APIC_BASE bit 8: this is the bootstrap processor (SDM 3A 11.4.4). */
const BSP = 1n << 8n;
const RUNNABLE = 0;
const UNINITIALIZED = 1;

const rows = { default: undefined, first: 0, second: 1 } as const;

/** One vCPU is the bootstrap processor and starts by itself; the others wait for INIT. */
export default defineCases("system/boot-cpu", rows, (boot) => ({
  spec: [
    "KVM API 4.41: KVM_SET_BOOT_CPU_ID (default 0; EBUSY after vCPU creation)",
    "KVM API 4.38: KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED",
    "SDM 3A 11.4.4: IA32_APIC_BASE, BSP flag",
  ],
  mode: "real",
  requires: [
    "KVM_CAP_SET_BOOT_CPU_ID",
    "KVM_CAP_IRQCHIP",
    "KVM_CAP_MP_STATE",
    { capability: "KVM_CAP_MAX_VCPUS", atLeast: 2 },
  ],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.irq.createIrqchip();
    if (boot !== undefined) vm.setBootCpuId(boot);
    const vcpus = [vm.createVcpu(0), vm.createVcpu(1)];
    context.attempt(() => vm.setBootCpuId(1));
    const chosen = boot ?? 0;
    vcpus.forEach((vcpu, id) => {
      const isBoot = id === chosen;
      context.assertEquals(`vCPU ${id}`, {
        flag: vcpu.sregs().apic_base & BSP,
        state: vcpu.mpState(),
      }, { flag: isBoot ? BSP : 0n, state: isBoot ? RUNNABLE : UNINITIALIZED });
    });
  },
  trace: `
    > irqchip
    ${boot === undefined ? "" : `> boot-cpu 0x${boot}`}
    > boot-cpu 0x1 -> EBUSY
    hlt
  `,
}));
