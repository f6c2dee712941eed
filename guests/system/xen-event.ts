import { asm, defineCase } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** Guest physical address of shared_info, whose first bytes are the vcpu_info of vCPU 0. */
const SHARED_INFO = 0x100000;
/** Offsets of struct shared_info in a 64-bit guest. */
const UPCALL_PENDING = 0;
const PENDING_SELECTOR = 8;
const PENDING = 0x800;
const MASK = 0xa00;

/** An event sets its port's bit, once, and tells the vCPU unless the port is masked. */
export default defineCase({
  id: "system/xen-event",
  spec: [
    "KVM API 4.135: KVM_XEN_HVM_EVTCHN_SEND",
    "KVM API 4.126, 4.128: KVM_XEN_ATTR_TYPE_SHARED_INFO, KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO",
    "xen/interface/xen.h: struct shared_info, evtchn_pending, evtchn_mask, evtchn_pending_sel",
  ],
  mode: "real",
  // KVM_XEN_HVM_CONFIG_EVTCHN_SEND.
  requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 0x20 }],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    using vm = freshVm(context);
    vm.observer = undefined;
    const { bytes } = vm.memory.addRam(SHARED_INFO, 0x1000);
    const vcpu = vm.createVcpu(0);
    vm.xen.setAttribute("long-mode", { long_mode: 1 });
    vm.xen.setAttribute("shared-info", { shared_info: { gfn: BigInt(SHARED_INFO >> 12) } });
    vcpu.xen.setAttribute("vcpu-info", { gpa: BigInt(SHARED_INFO) });
    const state = () => ({
      pending: [bytes[PENDING], bytes[PENDING + 16]],
      selector: bytes[PENDING_SELECTOR],
      upcall: bytes[UPCALL_PENDING],
    });
    // Port 130 is bit 2 of the third word.
    bytes[MASK + 16] = 1 << 2;
    assertEquals("a masked port", refusal(() => vm.xen.sendEvent(130, 0)), "none");
    assertEquals("what it sets", state(), { pending: [0, 4], selector: 0, upcall: 0 });
    assertEquals("a port", refusal(() => vm.xen.sendEvent(7, 0)), "none");
    assertEquals("what it sets", state(), { pending: [0x80, 4], selector: 1, upcall: 1 });
    bytes[PENDING_SELECTOR] = bytes[UPCALL_PENDING] = 0;
    assertEquals("a port that is pending", refusal(() => vm.xen.sendEvent(7, 0)), "none");
    assertEquals("what it sets", state(), { pending: [0x80, 4], selector: 0, upcall: 0 });
    assertEquals("what is refused", {
      "port 0": refusal(() => vm.xen.sendEvent(0, 0)),
      "a port beyond two levels": refusal(() => vm.xen.sendEvent(4096, 0)),
      "no such vCPU": refusal(() => vm.xen.sendEvent(8, 1)),
      "another priority": refusal(() => vm.xen.sendEvent(8, 0, 0)),
    }, {
      "port 0": "EINVAL",
      "a port beyond two levels": "EINVAL",
      "no such vCPU": "EINVAL",
      "another priority": "EINVAL",
    });
    assertEquals("the last port", refusal(() => vm.xen.sendEvent(4095, 0)), "none");
  },
  trace: `hlt`,
});
