import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { hex } from "./_hex.ts";

// What else the call says does not matter to a deletion.
const rows = {
  "as-it-is": { gpa: 0x100000, flags: 0, offset: 0 },
  "other-gpa": { gpa: 0x200000, flags: 0, offset: 0 },
  "other-memory": { gpa: 0x100000, flags: 0, offset: 0x1000 },
  "other-flags": { gpa: 0x100000, flags: MEMORY_LOG_DIRTY_PAGES, offset: 0 },
};

/** A deleted slot's addresses are a hole from the next access on; its memory keeps its contents. */
export default defineCases("memslot/delete", rows, ({ gpa, flags, offset }) => ({
  spec: ["KVM API 4.35: deleting a slot is done by passing zero for memory_size"],
  mode: "protected",
  guest: asm`
    mov eax, [0x100000]
    mov byte [0x100001], 0xa1
    mov byte [0x101fff], 0xb2
    out 0x10, al
    mov ebx, [0x100000]
    mov [0x101ffc], ebx
    inc byte [0x101000]
    out 0x11, al
    mov ecx, [0x100000]
    mov edx, [0x101ffc]
    hlt
  `,
  drive({ vm, run, attempt, assertEquals }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0, 0x44332211, true);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x2000, memory };
    vm.memory.setSlot(slot);
    run();
    const deletion = { ...slot, guestAddress: gpa, size: 0, flags, offset };
    vm.memory.setSlot(deletion);
    attempt(() => vm.memory.setSlot(deletion));
    for (let exit = 0; exit < 5; exit++) run();
    assertEquals("first bytes", memory.view.getUint32(0, true), 0x4433a111);
    assertEquals("last bytes", memory.view.getUint32(0x1ffc, true), 0xb2000000);
    assertEquals("middle", memory.bytes[0x1000], 0);
    vm.memory.setSlot(slot);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000
    pio out 0x10 u8 0x11
    > slot 0x1 gpa=${hex(gpa)} size=0x0 ${flags ? `flags=${hex(flags)}` : ""}
    > slot 0x1 gpa=${hex(gpa)} size=0x0 ${flags ? `flags=${hex(flags)}` : ""} -> EINVAL
    mmio read 0x100000 u32 -> 0x8899aabb
    mmio write 0x101ffc u32 0x8899aabb
    mmio read 0x101000 u8 -> 0x7f
    mmio write 0x101000 u8 0x80
    pio out 0x11 u8 0x11
    > slot 0x1 gpa=0x100000 size=0x2000
    hlt
    = rax 0x44332211
    = rbx 0x8899aabb
    = rcx 0x4433a111
    = rdx 0xb2000000
    = rflags 0x892
    = mem 0x100001 u8 0xa1
    = mem 0x101fff u8 0xb2
  `,
}));
