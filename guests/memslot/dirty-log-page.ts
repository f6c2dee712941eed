import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { hex } from "./_hex.ts";

// The slot has 70 pages: one word of the bitmap and a piece of another.
const rows = {
  "first-byte": { at: 0x100000, page: 0 },
  "last-byte-of-page": { at: 0x100fff, page: 0 },
  "page-1": { at: 0x101000, page: 1 },
  "page-31": { at: 0x11f800, page: 31 },
  "page-32": { at: 0x120800, page: 32 },
  "page-63": { at: 0x13ffff, page: 63 },
  "page-64": { at: 0x140000, page: 64 },
  "last-byte": { at: 0x145fff, page: 69 },
};

/** The dirty log names the page that was written since it was last fetched, and no other. */
export default defineCases("memslot/dirty-log-page", rows, ({ at, page }) => ({
  spec: [
    "KVM API 4.8: bit 0 is the first page in the memory slot",
    "KVM API 4.8: the bits are cleared before the ioctl returns",
  ],
  mode: "protected",
  withoutLens: { restore: "KVM maps a page of a new VM writable when it is read, and logs that" },
  guest: asm`
    mov byte [${at}], 0xa1
    out 0x10, al
    mov al, [${at}]
    out 0x10, al
    mov byte [${at}], 0xb2
    out 0x10, al
    hlt
  `,
  drive({ vm, run }) {
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.addRam(0x100000, 70 * 0x1000, { slot: 1, flags });
    vm.memory.dirtyLog(1, 70);
    run();
    vm.memory.dirtyLog(1, 70);
    vm.memory.dirtyLog(1, 70);
    run();
    vm.memory.dirtyLog(1, 70);
    run();
    vm.memory.dirtyLog(1, 70);
    vm.memory.dirtyLog(1, 70);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x46000 flags=0x1
    > dirty-log 0x1 -> []
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [${hex(page)}]
    > dirty-log 0x1 -> []
    pio out 0x10 u8 0xa1
    > dirty-log 0x1 -> []
    pio out 0x10 u8 0xa1
    > dirty-log 0x1 -> [${hex(page)}]
    > dirty-log 0x1 -> []
    hlt
    = rax 0xa1
    = mem ${hex(at)} u8 0xb2
  `,
}));
