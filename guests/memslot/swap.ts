import { asm, defineCase } from "../../mod.ts";

/** A slot that is replaced by one over other memory shows the other memory at once, and the old one is left alone. */
export default defineCase({
  id: "memslot/swap",
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode: "protected",
  guest: asm`
    mov al, [0x100000]
    mov byte [0x100fff], 0xa1
    out 0x10, al
    mov ah, [0x100000]
    mov byte [0x100ffe], 0xb2
    mov bl, [0x100fff]
    out 0x10, al
    mov bh, [0x100000]
    mov cl, [0x100fff]
    mov ch, [0x100ffe]
    hlt
  `,
  drive({ vm, run, assertEquals }) {
    const memory = vm.memory.map(0x2000);
    memory.bytes[0] = 0x11;
    memory.bytes[0x1000] = 0x22;
    const first = { slot: 1, guestAddress: 0x100000, size: 0x1000, memory, offset: 0 };
    const second = { ...first, offset: 0x1000 };
    vm.memory.setSlot(first);
    run();
    vm.memory.setSlot({ ...first, size: 0 });
    vm.memory.setSlot(second);
    run();
    assertEquals("second memory", memory.bytes.slice(0x1ffe, 0x2000), [0xb2, 0]);
    memory.bytes[0x1ffe] = 0;
    vm.memory.setSlot({ ...second, size: 0 });
    vm.memory.setSlot(first);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    pio out 0x10 u8 0x11
    > slot 0x1 gpa=0x100000 size=0x0
    > slot 0x1 gpa=0x100000 size=0x1000
    pio out 0x10 u8 0x11
    > slot 0x1 gpa=0x100000 size=0x0
    > slot 0x1 gpa=0x100000 size=0x1000
    hlt
    = rax 0x2211
    = rbx 0x1100
    = rcx 0xa1
    = mem 0x100fff u8 0xa1
  `,
});
