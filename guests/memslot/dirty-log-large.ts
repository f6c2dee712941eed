import { asm, defineCase, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

const LARGE = 0x200000;

/** The dirty log of memory that KVM may map by a large page is per page of 4 KiB. */
export default defineCase({
  id: "memslot/dirty-log-large",
  spec: ["KVM API 4.8: one bit per page", "KVM API 4.35: large pages in the guest"],
  mode: "protected",
  guest: asm`
    mov byte [0x400000], 0xa1
    mov byte [0x5ff000], 0xa2
    out 0x10, al
    mov byte [0x400fff], 0xb1
    mov byte [0x4c8000], 0xb2
    mov byte [0x5fffff], 0xb3
    out 0x10, al
    mov byte [0x4c8001], 0xc2
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(2 * LARGE);
    // Guest and host address agree in their lower 21 bits.
    const offset = LARGE - Number(memory.address % BigInt(LARGE));
    memory.bytes[offset + 0x1000] = 1;
    const slot = { slot: 1, guestAddress: 0x400000, size: LARGE, memory, offset };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot({ ...slot, flags: MEMORY_LOG_DIRTY_PAGES });
    run();
    vm.memory.dirtyLog(1, LARGE / 0x1000);
    run();
    vm.memory.dirtyLog(1, LARGE / 0x1000);
    vm.memory.dirtyLog(1, LARGE / 0x1000);
  },
  trace: `
    > slot 0x1 gpa=0x400000 size=0x200000
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=0x400000 size=0x200000 flags=0x1
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x0 0xc8 0x1ff]
    hlt
    > dirty-log 0x1 -> [0xc8]
    > dirty-log 0x1 -> []
    = mem 0x400000 u8 0xa1
    = mem 0x400fff u8 0xb1
    = mem 0x4c8000 u8 [0xb2 0xc2]
    = mem 0x5ff000 u8 0xa2
    = mem 0x5fffff u8 0xb3
  `,
});
