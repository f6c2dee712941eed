import { asm, defineCases } from "../../mod.ts";
import { hex } from "./_hex.ts";

/** Pages of the 11 slots, with gaps of one page and of several between them. */
const PAGES = [0, 2, 3, 5, 8, 9, 13, 16, 17, 19, 23];

// Which of them is deleted before the guest starts, by its place in the list.
const rows = {
  "all": -1,
  "less-the-first": 0,
  "less-one-alone": 6,
  "less-a-neighbour": 4,
  "less-the-last": 10,
};

/** Between slots, and where one of them has been deleted, there are holes, and only there. */
export default defineCases("memslot/many-apart", rows, (deleted) => {
  const there = PAGES.filter((_, index) => index !== deleted);
  const all = Array.from({ length: 24 }, (_, page) => page);
  return {
    spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
    mode: "protected",
    guest: asm`
      mov esi, 0x100000
      mov ecx, 24
    page:
      movzx eax, byte [esi + 0x7ff]
      add ebx, eax
      inc byte [esi + 0x7ff]
      add esi, 0x1000
      loop page
      hlt
    `,
    drive({ vm }) {
      const memory = vm.memory.map(24 * 0x1000);
      const slots = PAGES.map((page, index) => ({
        slot: 1 + index * 7 % 11,
        guestAddress: 0x100000 + page * 0x1000,
        size: 0x1000,
        memory,
        offset: page * 0x1000,
      }));
      for (const page of PAGES) memory.bytes[page * 0x1000 + 0x7ff] = 1 + page;
      for (const slot of slots) vm.memory.setSlot(slot);
      if (deleted >= 0) vm.memory.setSlot({ ...slots[deleted], size: 0 });
    },
    // A hole reads as 0x80 here.
    trace: `
      ${PAGES.map((page, index) => slotLine(page, index, "0x1000")).join("\n")}
      ${deleted < 0 ? "" : slotLine(PAGES[deleted], deleted, "0x0")}
      ${all.filter((page) => !there.includes(page)).map(holeLines).join("\n")}
      hlt
      = rax ${there.includes(23) ? "0x18" : "0x80"}
      = rbx ${hex(all.reduce((sum, page) => sum + (there.includes(page) ? 1 + page : 0x80), 0))}
      = rsi 0x118000
      = rflags 0x6
      ${
      there.map((page) => `= mem ${hex(0x1007ff + page * 0x1000)} u8 ${hex(2 + page)}`).join("\n")
    }
    `,
  };
});

function slotLine(page: number, index: number, size: string): string {
  return `> slot ${hex(1 + index * 7 % 11)} gpa=${hex(0x100000 + page * 0x1000)} size=${size}`;
}

function holeLines(page: number): string {
  const address = hex(0x1007ff + page * 0x1000);
  return `
    mmio read ${address} u8 -> 0x80
    mmio read ${address} u8 -> 0x80
    mmio write ${address} u8 0x81`;
}
