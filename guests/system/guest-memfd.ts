import { asm, defineCases } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

const rows: Record<string, { size: bigint; flags?: bigint; answer?: string }> = {
  "page": { size: 0x1000n },
  "two-mebibytes": { size: 0x200000n },
  "nothing": { size: 0n, answer: "EINVAL" },
  "half-a-page": { size: 0x800n, answer: "EINVAL" },
  "page-plus-1": { size: 0x1001n, answer: "EINVAL" },
  "negative": { size: 1n << 63n, answer: "EINVAL" },
  "unknown-flag": { size: 0x1000n, flags: 1n << 62n, answer: "EINVAL" },
};

/** A file of guest memory has whole pages, and no flags that KVM does not know. */
export default defineCases("system/guest-memfd", rows, ({ size, flags, answer }) => ({
  spec: [
    "KVM API 4.142: KVM_CREATE_GUEST_MEMFD",
    "virt/kvm/guest_memfd.c: kvm_gmem_create (6.12), where the document names no errno",
  ],
  mode: "real",
  requires: ["KVM_CAP_GUEST_MEMFD"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    context.attempt(() => {
      using file = vm.memory.createFile(size, flags ?? 0);
      context.assertEquals("a descriptor", file.fd > 0, true);
    });
  },
  trace: `
    > guest-memfd size=0x${size.toString(16)} ${answer === undefined ? "" : `-> ${answer}`}
    hlt
  `,
}));
