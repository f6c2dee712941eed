import { defineCases } from "../../mod.ts";
import { msrSteps } from "./_access.ts";

const MSR_PLATFORM_INFO = 0xce;
/** CPUID faulting can be switched on. */
const FAULTING = 0x80000000n;

const rows = {
  "not-told": { tells: [] },
  off: { tells: [0] },
  "off-and-on": { tells: [0, 1] },
  on: { tells: [1] },
};

/** KVM_CAP_MSR_PLATFORM_INFO says whether a guest may read the MSR; the host always can. */
export default defineCases("msr/platform-information", rows, ({ tells }) => {
  const readable = tells.at(-1) !== 0;
  const steps = readable ? [{ reads: FAULTING }] : [{ fault: true } as const];
  return {
    spec: [
      "KVM API 7.15: KVM_CAP_MSR_PLATFORM_INFO",
      "SDM 4 2: MSR_PLATFORM_INFO (bit 31)",
    ],
    requires: ["KVM_CAP_MSR_PLATFORM_INFO", { parameter: "kvm.ignore_msrs", value: "N" }],
    ...msrSteps(
      MSR_PLATFORM_INFO,
      steps,
      "",
      [
        ...tells.map((tell) => `> enable msr-platform-info 0x${tell}`),
        "> set-msrs msr.0xce=0x80000000 -> 0x1",
      ].join("\n"),
    ),
    drive: ({ vm, vcpu, assertEquals }) => {
      for (const tell of tells) vm.enableCapability("KVM_CAP_MSR_PLATFORM_INFO", tell);
      vcpu.setMsrs([{ index: MSR_PLATFORM_INFO, data: FAULTING }]);
      assertEquals("as the host reads it", vcpu.msrs([MSR_PLATFORM_INFO])[0]?.data, FAULTING);
    },
  };
});
