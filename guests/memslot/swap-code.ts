import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { protected: "protected", long: "long" };

/** Code in a slot that is replaced by one over other memory, or moved, is the new code on its next call. */
export default defineCases("memslot/swap-code", modes, (mode) => ({
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "SDM 3A 12.6: self-modifying code"],
  mode,
  guest: asm`
    mov ecx, 3
  again:
    call 0x100ffe
    out 0x10, al
    loop again
    hlt
  `,
  drive({ vm, run }) {
    // MOV AL, imm8; RET: the first two bytes in one page, the last in the next.
    const memory = vm.memory.map(0x6000);
    memory.bytes.set([0xb0, 0x11, 0xc3], 0x0ffe);
    memory.bytes.set([0xb0, 0x22, 0xc3], 0x2ffe);
    memory.bytes.set([0xb0, 0x33, 0xc3], 0x4ffe);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x2000, memory };
    const third = { ...slot, slot: 2, offset: 0x4000 };
    vm.memory.setSlot(slot);
    vm.memory.setSlot({ ...third, guestAddress: 0x200000 });
    run();
    vm.memory.setSlot({ ...slot, size: 0 });
    vm.memory.setSlot({ ...slot, offset: 0x2000 });
    run();
    vm.memory.setSlot({ ...slot, size: 0 });
    vm.memory.setSlot(third);
  },
  trace: ({ again }) => `
    > slot 0x1 gpa=0x100000 size=0x2000
    > slot 0x2 gpa=0x200000 size=0x2000
    pio out 0x10 u8 0x11
    > slot 0x1 gpa=0x100000 size=0x0
    > slot 0x1 gpa=0x100000 size=0x2000
    pio out 0x10 u8 0x22
    > slot 0x1 gpa=0x100000 size=0x0
    > slot 0x2 gpa=0x100000 size=0x2000
    pio out 0x10 u8 0x33
    hlt
    = rax 0x33
    = mem ${mode === "long" ? "0x7ff8" : "0x7ffc"} u32 0x${(Number(again) + 5).toString(16)}
  `,
}));
