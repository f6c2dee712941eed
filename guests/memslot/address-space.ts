import { asm, defineCase } from "../../mod.ts";

/** Slots of another address space may overlap this one's, and a guest outside SMM does not see them. */
export default defineCase({
  id: "memslot/address-space",
  spec: ["KVM API 4.35: slots in separate address spaces are unrelated"],
  requires: [{ capability: "KVM_CAP_MULTI_ADDRESS_SPACE", atLeast: 2 }],
  mode: "protected",
  guest: asm`
    mov byte [0x101000], 0xa1
    mov eax, [0x100000]
    mov ebx, [0x102000]
    hlt
  `,
  drive({ vm, attempt }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0, 0x11, true);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory });
    const other = vm.memory.map(0x4000);
    other.bytes.fill(0x99);
    const elsewhere = { guestAddress: 0xff000, size: 0x4000, memory: other };
    vm.memory.setSlot({ ...elsewhere, slot: 0x10001 });
    attempt(() => vm.memory.setSlot({ ...elsewhere, slot: 0x10002 }));
    attempt(() => vm.memory.setSlot({ ...elsewhere, slot: 2 }));
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000
    > slot 0x10001 gpa=0xff000 size=0x4000
    > slot 0x10002 gpa=0xff000 size=0x4000 -> EEXIST
    > slot 0x2 gpa=0xff000 size=0x4000 -> EEXIST
    mmio read 0x102000 u32 -> 0x22
    hlt
    = rax 0x11
    = rbx 0x22
    = mem 0x101000 u8 0xa1
  `,
});
