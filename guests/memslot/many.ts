import { asm, defineCases } from "../../mod.ts";
import { hex } from "./_hex.ts";

const COUNT = 64;

// In which order the slots are made: each multiplier is prime to 64, so every slot's turn comes once.
const orders = {
  "ascending": (turn: number) => turn,
  "descending": (turn: number) => COUNT - 1 - turn,
  "shuffled": (turn: number) => turn * 37 % COUNT,
};

/** Each of 64 slots maps its own page, in whatever order they and their numbers came. */
export default defineCases("memslot/many", orders, (order) => ({
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode: "protected",
  // Copies the first dword of each page to 0xa000 and on, and counts up the second.
  guest: asm`
    mov esi, 0x100000
    mov edi, 0xa000
    mov ecx, ${COUNT}
  page:
    mov eax, [esi]
    mov [edi], eax
    inc dword [esi + 4]
    add esi, 0x1000
    add edi, 4
    loop page
    mov eax, [esi]
    mov ebx, [0xffffc]
    hlt
  `,
  drive({ vm }) {
    const memory = vm.memory.map(COUNT * 0x1000);
    // Neither the number of a slot nor its place in memory goes along with its address.
    const offsetOf = (page: number) => (page * 11 % COUNT) * 0x1000;
    for (let page = 0; page < COUNT; page++) {
      memory.view.setUint32(offsetOf(page), 0x1000 + page, true);
      memory.view.setUint32(offsetOf(page) + 4, page, true);
    }
    for (let turn = 0; turn < COUNT; turn++) {
      const page = order(turn);
      vm.memory.setSlot({
        slot: 1 + turn,
        guestAddress: 0x100000 + page * 0x1000,
        size: 0x1000,
        memory,
        offset: offsetOf(page),
      });
    }
  },
  trace: `
    ${
    pages((turn) =>
      `> slot ${hex(1 + turn)} gpa=${hex(0x100000 + order(turn) * 0x1000)} size=0x1000`
    )
  }
    mmio read 0x140000 u32 -> 0x11
    mmio read 0xffffc u32 -> 0x22
    hlt
    = rax 0x11
    = rbx 0x22
    = rsi 0x140000
    = rdi 0xa100
    = rflags 0x16
    = mem 0xa000 u32 [${pages((page) => hex(0x1000 + page)).replaceAll("\n", " ")}]
    ${pages((page) => `= mem ${hex(0x100004 + page * 0x1000)} u32 ${hex(page + 1)}`)}
  `,
}));

function pages(line: (page: number) => string): string {
  return Array.from({ length: COUNT }, (_, page) => line(page)).join("\n");
}
