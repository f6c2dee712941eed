import { asm, defineCase, EventFd } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** A connection of 24 bits has one eventfd or none. */
export default defineCase({
  id: "system/hyperv-eventfd",
  spec: ["KVM API 4.113: KVM_HYPERV_EVENTFD (EINVAL, ENOENT, EEXIST)"],
  mode: "real",
  requires: ["KVM_CAP_HYPERV_EVENTFD"],
  guest: asm`hlt`,
  drive(context) {
    const { attempt } = context;
    using vm = freshVm(context);
    using event = new EventFd();
    vm.hyperv.assign(event, 0xffffff);
    attempt(() => vm.hyperv.assign(event, 0xffffff));
    vm.hyperv.assign(event, 0);
    attempt(() => vm.hyperv.assign(event, 0x1000000));
    attempt(() => vm.hyperv.release(0x1000000));
    vm.hyperv.release(0xffffff);
    attempt(() => vm.hyperv.release(0xffffff));
    vm.hyperv.assign(event, 0xffffff);
  },
  trace: `
    > hyperv-eventfd 0xffffff
    > hyperv-eventfd 0xffffff -> EEXIST
    > hyperv-eventfd 0x0
    > hyperv-eventfd 0x1000000 -> EINVAL
    > hyperv-eventfd-release 0x1000000 -> EINVAL
    > hyperv-eventfd-release 0xffffff
    > hyperv-eventfd-release 0xffffff -> ENOENT
    > hyperv-eventfd 0xffffff
    hlt
  `,
});
