import { asm, defineCases, type Vm } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** KVM_XEN_HVM_CONFIG_SHARED_INFO, _EVTCHN_SEND. */
const SHARED_INFO = 4;
const EVTCHN_SEND = 0x20;

interface Row {
  /** The features that it needs; KVM_CAP_XEN_HVM answers at least this number with them. */
  readonly features: number;
  /** Sets it, and reads it back. */
  readonly use: (vm: Vm) => readonly unknown[];
  readonly expected: readonly unknown[];
}

const rows: Record<string, Row> = {
  "long-mode": {
    features: SHARED_INFO,
    use: ({ xen }) =>
      [1, 0].map((long_mode) => {
        xen.setAttribute("long-mode", { long_mode });
        return xen.attribute("long-mode").long_mode;
      }),
    expected: [1, 0],
  },
  "upcall-vector": {
    features: SHARED_INFO,
    use: ({ xen }) =>
      [0xf3, 0x10, 0].map((vector) => {
        xen.setAttribute("upcall-vector", { vector });
        return xen.attribute("upcall-vector").vector;
      }),
    expected: [0xf3, 0x10, 0],
  },
  // A vector below 0x10 is an exception's (arch/x86/kvm/xen.c).
  "upcall-vector-of-an-exception": {
    features: SHARED_INFO,
    use: ({ xen }) => [
      refusal(() => xen.setAttribute("upcall-vector", { vector: 0x0f })),
      xen.attribute("upcall-vector").vector,
    ],
    expected: ["EINVAL", 0],
  },
  "shared-info": {
    features: SHARED_INFO,
    use: (vm) => {
      const memory = vm.memory.addRam(0x100000, 0x2000);
      const none = vm.xen.attribute("shared-info").shared_info.gfn;
      vm.xen.setAttribute("shared-info", { shared_info: { gfn: 0x101n } });
      const set = vm.xen.attribute("shared-info").shared_info.gfn;
      vm.xen.setAttribute("shared-info", { shared_info: { gfn: (1n << 64n) - 1n } });
      // KVM puts the wall clock into that page and into no other.
      const written = memory.bytes.subarray(0, 0x1000).some((byte) => byte !== 0);
      return [none, set, vm.xen.attribute("shared-info").shared_info.gfn, written];
    },
    expected: [(1n << 64n) - 1n, 0x101n, (1n << 64n) - 1n, false],
  },
  "xen-version": {
    features: EVTCHN_SEND,
    use: ({ xen }) => {
      xen.setAttribute("xen-version", { xen_version: 0x4000e });
      return [xen.attribute("xen-version").xen_version];
    },
    expected: [0x4000e],
  },
  // It can be set and not read.
  "evtchn": {
    features: EVTCHN_SEND,
    use: ({ xen }) => {
      const evtchn = (flags: number) =>
        refusal(() =>
          xen.setAttribute("evtchn-port", {
            evtchn: {
              send_port: 7,
              // EVTCHNSTAT_ipi: to the guest itself.
              type: 5,
              flags,
              deliver: { port: { port: 7, vcpu: 0, priority: 0xffffffff } },
            },
          })
        );
      return [
        evtchn(0),
        evtchn(0),
        refusal(() => xen.attribute("evtchn-port")),
        // KVM_XEN_EVTCHN_DEASSIGN, twice.
        evtchn(1),
        evtchn(1),
      ];
    },
    expected: ["none", "EEXIST", "ENOENT", "none", "ENOENT"],
  },
};

/** What is set of Xen's attributes reads the same. */
export default defineCases("system/xen-attribute", rows, ({ features, use, expected }) => ({
  spec: [
    "KVM API 4.126, 4.127: KVM_XEN_HVM_SET_ATTR, KVM_XEN_HVM_GET_ATTR",
    "KVM API 8.30: KVM_CAP_XEN_HVM",
  ],
  mode: "real",
  requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: features }],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.observer = undefined;
    context.assertEquals("what was read and answered", use(vm), expected);
  },
  trace: `hlt`,
}));
