import { asm, defineCases } from "../../mod.ts";
import { hex } from "./_hex.ts";

const rows = {
  "up": 0x200000,
  "down": 0x80000,
  "up-by-a-page": 0x101000,
  "down-by-a-page": 0xff000,
  "up-next-to-itself": 0x103000,
  "to-the-end-of-slot-0": 0x20000,
};

/** A moved slot takes its contents along, even over a part of its old range, and leaves a hole. */
export default defineCases("memslot/move", rows, (to) => ({
  spec: ["KVM API 4.35: a slot may be moved in the guest physical memory space"],
  mode: "protected",
  // EBX is where the slot is to go. The byte left of it and the byte behind it are holes, and so is
  // what the slot leaves: its first page when it goes up, its last when it goes down.
  guest: asm`
    mov byte [0x100000], 0xa1
    mov byte [0x102fff], 0xb2
    mov ebx, ${to}
    out 0x10, al
    mov eax, [ebx]
    mov edx, [ebx + 0x2ffc]
    mov byte [ebx + 0x1fff], 0xc3
    mov cl, [ebx + 0x3000]
    mov ch, [${to > 0x100000 ? 0x100000 : 0x102fff}]
    mov byte [${to > 0x100000 ? 0x100fff : 0x102000}], 0xd4
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x3000);
    memory.view.setUint32(0, 0x44332211, true);
    memory.view.setUint32(0x2ffc, 0x88776655, true);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x3000, memory };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot({ ...slot, guestAddress: to });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=${hex(to)} size=0x3000
    mmio read ${hex(to + 0x3000)} u8 -> 0x66
    mmio read ${to > 0x100000 ? "0x100000" : "0x102fff"} u8 -> 0x77
    mmio write ${to > 0x100000 ? "0x100fff" : "0x102000"} u8 0xd4
    hlt
    = rax 0x443322a1
    = rbx ${hex(to)}
    = rcx 0x7766
    = rdx 0xb2776655
    = mem ${hex(to)} u8 0xa1
    = mem ${hex(to + 0x1fff)} u8 0xc3
    = mem ${hex(to + 0x2fff)} u8 0xb2
  `,
}));
