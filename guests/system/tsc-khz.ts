import { asm, defineCase } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** The TSC frequency of a VM is that of the vCPUs made after it was set. */
export default defineCase({
  id: "system/tsc-khz",
  spec: [
    "KVM API 4.55, 4.56: KVM_SET_TSC_KHZ, KVM_GET_TSC_KHZ of a VM (KVM_CAP_VM_TSC_CONTROL)",
  ],
  mode: "real",
  requires: ["KVM_CAP_VM_TSC_CONTROL", "KVM_CAP_GET_TSC_KHZ"],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    using vm = freshVm(context);
    const host = vm.tscKhz();
    const first = vm.createVcpu(0);
    vm.setTscKhz(1_000_000);
    const second = vm.createVcpu(1);
    assertEquals("of the VM", vm.tscKhz(), 1_000_000);
    assertEquals("of a vCPU made before", first.tscKhz(), host);
    assertEquals("of a vCPU made after", second.tscKhz(), 1_000_000);
    // 0 is the host's again.
    vm.setTscKhz(0);
    assertEquals("of the VM, set to 0", vm.tscKhz(), host);
    context.attempt(() => vm.setTscKhz(0x7fffffff));
  },
  trace: `
    > set-tsc-khz 0xf4240
    > set-tsc-khz 0x0
    > set-tsc-khz 0x7fffffff -> EINVAL
    hlt
  `,
});
