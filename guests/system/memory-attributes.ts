import { asm, defineCase } from "../../mod.ts";

/** An ordinary VM has no private memory: no attribute, and no slot with a file. */
export default defineCase({
  id: "system/memory-attributes",
  spec: [
    "KVM API 4.141: KVM_CAP_MEMORY_ATTRIBUTES of a VM tells the attributes that it has",
    "KVM API 4.140: KVM_MEM_GUEST_MEMFD",
  ],
  mode: "protected",
  requires: ["KVM_CAP_MEMORY_ATTRIBUTES", "KVM_CAP_USER_MEMORY2"],
  guest: asm`
    mov eax, [0x100000]
    hlt
  `,
  drive({ vm, attempt, assertEquals }) {
    assertEquals("the VM's attributes", vm.checkExtension("KVM_CAP_MEMORY_ATTRIBUTES"), 0);
    const memory = vm.memory.map(0x1000);
    memory.view.setUint32(0, 0x44332211, true);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x1000, memory });
    attempt(() => vm.memory.setAttributes(0x100000, 0x1000, 8));
    attempt(() => vm.memory.setAttributes(0x100000, 0x1000, 1));
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    > memory-attributes 0x8 gpa=0x100000 size=0x1000 -> EINVAL
    > memory-attributes 0x1 gpa=0x100000 size=0x1000 -> EINVAL
    hlt
    = rax 0x44332211
  `,
});
