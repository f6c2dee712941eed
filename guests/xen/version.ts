import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

/** XENVER_version is answered by KVM where the host has given it a version. */
export default defineCases(
  "xen/version",
  byEachCall({ set: 0x40011 }),
  ({ row: version, call }) => ({
    spec: "KVM API 4.126: KVM_XEN_HVM_SET_ATTR (KVM_XEN_ATTR_TYPE_XEN_VERSION)",
    mode: "long",
    requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 0x40 }, call.requires],
    // __HYPERVISOR_xen_version, and its command 0.
    registers: { rax: 17n },
    guest: asm`
    ${call.instruction}
    hlt
  `,
    drive: ({ vm }) => {
      vm.xen.setConfig({ flags: 2, msr: 0x40000200 });
      vm.xen.setAttribute("xen-version", { xen_version: version });
    },
    trace: `
    > xen-config flags=0x2
    > set-xen xen-version
    hlt
    = rax 0x${version.toString(16)}
  `,
  }),
);
