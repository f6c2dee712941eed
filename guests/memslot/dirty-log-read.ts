import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

const rows = {
  "mov": { guest: asm`mov al, [0x101000]`, trace: "= rax 0x5a" },
  "across-pages": { guest: asm`mov eax, [0x101ffe]`, trace: "= rax 0xc301b190" },
  "rep-lods": {
    guest: asm`
      mov esi, 0x101ffe
      mov ecx, 4
      rep lodsb
    `,
    trace: `
      = rax 0xc3
      = rsi 0x102002
    `,
  },
  "execute": {
    guest: asm`call 0x101ffe`,
    trace: `
      = rcx 0x1
      = mem 0x7ffc u32 *
    `,
  },
  // Its write goes to an MMIO hole, its read to the page.
  "movs-to-mmio": {
    guest: asm`
      mov esi, 0x101ffe
      mov edi, 0xd0000000
      movsd
    `,
    exits: "mmio write 0xd0000000 u32 0xc301b190",
    trace: `
      = rsi 0x102002
      = rdi 0xd0000004
    `,
  },
};

/** A page that is only read or executed is not in the dirty log once KVM tracks its writes. */
export default defineCases("memslot/dirty-log-read", rows, (row) => ({
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG"],
  mode: "protected",
  withoutLens: { restore: "KVM maps a page of a new VM writable when it is read, and logs that" },
  // KVM may take the first access to a page that it has not mapped yet for a write, so the guest
  // first writes to them all.
  guest: asm`
    mov byte [0x100800], 0xa1
    mov byte [0x101800], 0xa2
    mov byte [0x102800], 0xa3
    out 0x10, al
    ${row.guest}
    mov byte [0x100801], 0xb1
    hlt
  `,
  drive({ vm, run }) {
    const memory = vm.memory.map(0x3000);
    memory.bytes[0x1000] = 0x5a;
    // NOP; MOV CL, 1; RET over the end of page 1.
    memory.bytes.set([0x90, 0xb1, 0x01, 0xc3], 0x1ffe);
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x3000, memory, flags });
    run();
    vm.memory.dirtyLog(1, 3);
    while (run().reason !== "hlt");
    vm.memory.dirtyLog(1, 3);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000 flags=0x1
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x0 0x1 0x2]
    ${"exits" in row ? row.exits : ""}
    hlt
    > dirty-log 0x1 -> [0x0]
    ${row.trace}
    = mem 0x100800 u8 [0xa1 0xb1]
    = mem 0x101800 u8 0xa2
    = mem 0x102800 u8 0xa3
  `,
}));
