import { asm, defineCase } from "../../mod.ts";

/** Where the guest has found a hole, it finds RAM as soon as there is a slot, but its pending read has the host's answer. */
export default defineCase({
  id: "memslot/create-later",
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "protected",
  guest: asm`
    mov eax, [0x100004]
    mov ebx, [0x100004]
    mov ecx, [0x100004]
    mov [0x100004], eax
    mov esi, [0x100ffc]
    mov [0x100008], ecx
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(4, 0x33, true);
    run();
    run();
    // The second read waits for its answer; the third comes after.
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x1000, memory });
  },
  trace: `
    mmio read 0x100004 u32 -> 0x11
    mmio read 0x100004 u32 -> 0x22
    > slot 0x1 gpa=0x100000 size=0x1000
    hlt
    = rax 0x11
    = rbx 0x22
    = rcx 0x33
    = mem 0x100004 u32 [0x11 0x33]
  `,
});
