import { asm, defineCase, FileDescriptor, ioctl } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

const slow = "a thousand vCPUs are the point, and take long there";

/** A VM has as many vCPUs as KVM_CAP_MAX_VCPUS answers, and no more. */
export default defineCase({
  id: "limits/vcpus",
  spec: ["KVM API 4.7: KVM_CREATE_VCPU, KVM_CAP_MAX_VCPUS"],
  mode: "real",
  requires: [
    "KVM_CAP_MAX_VCPUS",
    { notEmulatedBy: "qemu-tcg", because: slow },
    { notEmulatedBy: "bochs", because: slow },
  ],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    const most = vm.checkExtension("KVM_CAP_MAX_VCPUS");
    // Descriptors are closed at once: the VM keeps the vCPUs, the process runs out of none.
    const create = (id: number) => {
      new FileDescriptor(ioctl(vm, "KVM_CREATE_VCPU", id), "Vcpu")[Symbol.dispose]();
    };
    for (let id = 0; id < most; id++) create(id);
    context.assertEquals("one more", refusal(() => create(most)), "EINVAL");
    context.assertEquals("one that is there", refusal(() => create(most - 1)), "EINVAL");
  },
  trace: `hlt`,
});
