import { asm, defineCases, type XenConfig } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL. */
const INTERCEPT = 2;

const rows: Record<string, { config: XenConfig; answer: string }> = {
  intercept: { config: { flags: INTERCEPT, msr: 0x40000000 }, answer: "" },
  off: { config: { flags: 0, msr: 0 }, answer: "" },
  "intercept-with-a-page": {
    config: { flags: INTERCEPT, msr: 0x40000000, blob_size_64: 1 },
    answer: "-> EINVAL",
  },
  "intercept-with-an-address": {
    config: { flags: INTERCEPT, msr: 0x40000000, blob_addr_32: 0x1000n },
    answer: "-> EINVAL",
  },
  "unknown-flag": { config: { flags: 0x80000000, msr: 0x40000000 }, answer: "-> EINVAL" },
};

/** With intercepted hypercalls the page is KVM's own; a flag that is none is refused. */
export default defineCases("system/xen-config", rows, ({ config, answer }) => ({
  spec: ["KVM API 4.28: KVM_XEN_HVM_CONFIG"],
  mode: "real",
  requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 2 }],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    context.attempt(() => vm.xen.setConfig(config));
  },
  trace: `
    > xen-config flags=0x${config.flags.toString(16)} ${answer}
    hlt
  `,
}));
