import { asm, defineCases } from "../../mod.ts";
import { hex } from "./_hex.ts";

// Where the slot begins, and how far into 2 MiB of host memory that is.
const rows = {
  "both-aligned": { gpa: 0x400000, low: 0 },
  "both-off-by-a-page": { gpa: 0x401000, low: 0x1000 },
  "guest-off-by-a-page": { gpa: 0x401000, low: 0 },
};

const PAGES = 0x2f0;
/** Every so many pages the guest reads one. */
const STRIDE = 37;
const COUNT = Math.ceil(PAGES / STRIDE);

/** Memory that KVM may map by large pages is mapped right, however guest and host address lie to each other, and moved. */
export default defineCases("memslot/large", rows, ({ gpa, low }) => ({
  spec: ["KVM API 4.35: the lower 21 bits of guest_phys_addr and userspace_addr"],
  mode: "protected",
  guest: asm`
    mov edi, 0xa000
    mov esi, ${gpa}
    call collect
    mov esi, ${gpa + 0x1000}
    out 0x10, al
    call collect
    end:
    mov eax, [${gpa}]
    mov ebx, [${gpa + 0x1000 + PAGES * 0x1000}]
    hlt
  collect:
    mov ecx, ${COUNT}
  page:
    mov eax, [esi]
    stosd
    inc byte [esi + 4]
    lea esi, [esi + ${STRIDE * 0x1000}]
    loop page
    ret
  `,
  drive({ vm, run, assertEquals }) {
    const memory = vm.memory.map(0x500000);
    const aligned = 0x200000 - Number(memory.address % 0x200000n);
    const offset = aligned + low;
    for (let page = 0; page < PAGES; page++) {
      memory.view.setUint32(offset + page * 0x1000, page, true);
    }
    const slot = { slot: 1, guestAddress: gpa, size: PAGES * 0x1000, memory, offset };
    vm.memory.setSlot(slot);
    run();
    vm.memory.setSlot({ ...slot, guestAddress: gpa + 0x1000 });
    while (run().reason !== "hlt");
    for (let page = 0; page < PAGES; page++) {
      const count = memory.bytes[offset + page * 0x1000 + 4];
      assertEquals(`count in page ${page}`, count, page % STRIDE === 0 ? 2 : 0);
      memory.bytes[offset + page * 0x1000 + 4] = 0;
    }
  },
  trace: ({ end }) => `
    > slot 0x1 gpa=${hex(gpa)} size=${hex(PAGES * 0x1000)}
    pio out 0x10 u8 0xe4
    > slot 0x1 gpa=${hex(gpa + 0x1000)} size=${hex(PAGES * 0x1000)}
    mmio read ${hex(gpa)} u32 -> 0x11
    mmio read ${hex(gpa + 0x1000 + PAGES * 0x1000)} u32 -> 0x22
    hlt
    = rax 0x11
    = rbx 0x22
    = rsi ${hex(gpa + 0x1000 + COUNT * STRIDE * 0x1000)}
    = rdi ${hex(0xa000 + 8 * COUNT)}
    = mem 0xa000 u32 [${[...pagesRead(), ...pagesRead()].join(" ")}]
    = mem 0x7ffc u32 ${end}
  `,
}));

function pagesRead(): string[] {
  return Array.from({ length: COUNT }, (_, index) => hex(index * STRIDE));
}
