import { asm, defineCase } from "../../mod.ts";

/** A slot may be moved again and again, also onto a place that another slot has left. */
export default defineCase({
  id: "memslot/move-back",
  spec: ["KVM API 4.35: a slot may be moved in the guest physical memory space"],
  mode: "protected",
  guest: asm`
    mov ecx, 3
  round:
    mov al, [0x100000]
    mov ah, [0x200000]
    inc byte [0x100000]
    out 0x10, ax
    loop round
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x2000);
    memory.bytes.set([0x11], 0);
    memory.bytes.set([0x41], 0x1000);
    const one = { slot: 1, guestAddress: 0x100000, size: 0x1000, memory };
    const two = { slot: 2, guestAddress: 0x200000, size: 0x1000, memory, offset: 0x1000 };
    vm.memory.setSlot(one);
    vm.memory.setSlot(two);
    run();
    // The two trade places.
    vm.memory.setSlot({ ...one, guestAddress: 0x300000 });
    vm.memory.setSlot({ ...two, guestAddress: 0x100000 });
    vm.memory.setSlot({ ...one, guestAddress: 0x200000 });
    run();
    // And back.
    vm.memory.setSlot({ ...one, guestAddress: 0x300000 });
    vm.memory.setSlot(two);
    vm.memory.setSlot(one);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    > slot 0x2 gpa=0x200000 size=0x1000
    pio out 0x10 u16 0x4111
    > slot 0x1 gpa=0x300000 size=0x1000
    > slot 0x2 gpa=0x100000 size=0x1000
    > slot 0x1 gpa=0x200000 size=0x1000
    pio out 0x10 u16 0x1241
    > slot 0x1 gpa=0x300000 size=0x1000
    > slot 0x2 gpa=0x200000 size=0x1000
    > slot 0x1 gpa=0x100000 size=0x1000
    pio out 0x10 u16 0x4212
    hlt
    = rax 0x4212
    = mem 0x100000 u8 0x13
    = mem 0x200000 u8 0x42
  `,
});
