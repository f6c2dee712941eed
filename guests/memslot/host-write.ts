import { asm, defineCase } from "../../mod.ts";

/** What the host writes to a slot's memory between two entries, the guest finds, data and code alike. */
export default defineCase({
  id: "memslot/host-write",
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode: "protected",
  guest: asm`
    mov ecx, 2
  again:
    call 0x100000
    mov bl, [0x100fff]
    out 0x10, ax
    loop again
    hlt
  `,
  drive({ vm, run, write }) {
    const memory = vm.memory.map(0x1000);
    // MOV AL, imm8; MOV AH, imm8; RET
    memory.bytes.set([0xb0, 0x11, 0xb4, 0x22, 0xc3]);
    memory.bytes[0xfff] = 0x33;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x1000, memory });
    run();
    write(0x100001, Uint8Array.of(0x44));
    write(0x100fff, Uint8Array.of(0x55));
  },
  trace: ({ again }) => `
    > slot 0x1 gpa=0x100000 size=0x1000
    pio out 0x10 u16 0x2211
    pio out 0x10 u16 0x2244
    hlt
    = rax 0x2244
    = rbx 0x55
    = mem 0x7ffc u32 0x${(Number(again) + 5).toString(16)}
  `,
});
