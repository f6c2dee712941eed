import { asm, defineCases, type DrivenVcpu, KvmError } from "../../mod.ts";

const rows: Record<string, (vcpu: DrivenVcpu) => unknown> = {
  "get-lapic": (vcpu) => vcpu.lapic(),
  "set-lapic": (vcpu) => vcpu.setLapic(new Uint8Array(1024)),
  "set-vapic-addr": (vcpu) => vcpu.setVapicAddress(0x1000n),
  // No kvmclock is in use either.
  "kvmclock-ctrl": (vcpu) => vcpu.kvmclockControl(),
  "get-one-reg": (vcpu) => vcpu.oneRegister(0n),
  "enable-cap": (vcpu) => vcpu.enableCapability("KVM_CAP_IRQCHIP"),
};

/** What needs something that the vCPU has not is EINVAL. */
export default defineCases("state/no-lapic", rows, (act) => ({
  spec: [
    "KVM API 4.57: KVM_GET_LAPIC",
    "KVM API 4.58: KVM_SET_LAPIC",
    "KVM API 4.69: KVM_GET_ONE_REG, EINVAL",
    "KVM API 4.70: KVM_KVMCLOCK_CTRL, EINVAL",
    "KVM API 4.37: KVM_ENABLE_CAP",
  ],
  mode: "real",
  guest: asm`hlt`,
  drive({ vm, vcpu, assertEquals }) {
    const { observer } = vm;
    vm.observer = undefined;
    let code = "none";
    try {
      act(vcpu);
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      code = error.code;
    }
    vm.observer = observer;
    assertEquals("the errno", code, "EINVAL");
  },
  trace: "hlt",
}));
