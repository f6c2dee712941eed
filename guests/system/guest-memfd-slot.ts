import { asm, defineCase, KvmError, type Vm } from "../../mod.ts";
import { freshVm, refusal } from "../_fresh.ts";

/** KVM_X86_SW_PROTECTED_VM. */
const SOFTWARE_PROTECTED = 1;

/** A slot is bound to whole pages of a file that no other slot is bound to. */
export default defineCase({
  id: "system/guest-memfd-slot",
  spec: [
    "KVM API 4.140: KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_GUEST_MEMFD",
    "KVM API 4.142: one mapping per page of a guest_memfd",
    "KVM API 4.141: KVM_SET_MEMORY_ATTRIBUTES",
  ],
  mode: "real",
  requires: ["KVM_CAP_USER_MEMORY2", { capability: "KVM_CAP_VM_TYPES", atLeast: 2 }],
  guest: asm`hlt`,
  drive(context) {
    const { assertEquals } = context;
    let vm: Vm;
    try {
      vm = freshVm(context, SOFTWARE_PROTECTED);
    } catch (error) {
      // The next type, SEV, has a higher bit: this one need not be there.
      if (error instanceof KvmError && error.code === "EINVAL") return;
      throw error;
    }
    using _ = vm;
    vm.observer = undefined;
    using file = vm.memory.createFile(0x4000);
    const memory = vm.memory.map(0x4000);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x2000, memory, file };
    const attributes = (address: number, size: number, which: bigint, flags = 0n) =>
      refusal(() => vm.memory.setAttributes(address, size, which, flags));
    assertEquals("answers", {
      bound: refusal(() => vm.memory.setSlot2(slot)),
      "bound twice": refusal(() =>
        vm.memory.setSlot2({ ...slot, slot: 2, guestAddress: 0x200000 })
      ),
      "the rest": refusal(() =>
        vm.memory.setSlot2({ ...slot, slot: 2, guestAddress: 0x200000, fileOffset: 0x2000 })
      ),
      "beyond the file": refusal(() =>
        vm.memory.setSlot2({ ...slot, slot: 3, guestAddress: 0x300000, fileOffset: 0x3000 })
      ),
      "half a page into it": refusal(() =>
        vm.memory.setSlot2({ ...slot, slot: 3, guestAddress: 0x300000, fileOffset: 0x800 })
      ),
      moved: refusal(() => vm.memory.setSlot2({ ...slot, guestAddress: 0x400000 })),
      private: attributes(0x100000, 0x1000, 8n),
      shared: attributes(0x100000, 0x1000, 0n),
      "no pages": attributes(0x100000, 0, 8n),
      "half a page": attributes(0x100000, 0x800, 8n),
      "not aligned": attributes(0x100800, 0x1000, 8n),
      "unknown attribute": attributes(0x100000, 0x1000, 1n),
      "unknown flag": attributes(0x100000, 0x1000, 8n, 1n),
    }, {
      bound: "none",
      "bound twice": "EEXIST",
      "the rest": "none",
      "beyond the file": "EINVAL",
      "half a page into it": "EINVAL",
      moved: "EINVAL",
      private: "none",
      shared: "none",
      "no pages": "EINVAL",
      "half a page": "EINVAL",
      "not aligned": "EINVAL",
      "unknown attribute": "EINVAL",
      "unknown flag": "EINVAL",
    });
  },
  trace: `hlt`,
});
