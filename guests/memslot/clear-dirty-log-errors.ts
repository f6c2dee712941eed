import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { hex } from "./_hex.ts";

// Of the slot's 70 pages, 0 and 69 are dirty.
const rows = {
  "first-page-not-of-64": { slot: 1, first: 1, pages: 64, errno: "EINVAL" },
  "first-page-32": { slot: 1, first: 32, pages: 38, errno: "EINVAL" },
  "pages-not-of-64": { slot: 1, first: 0, pages: 63, errno: "EINVAL" },
  "pages-end-before-the-end": { slot: 1, first: 64, pages: 5, errno: "EINVAL" },
  "pages-beyond-the-end": { slot: 1, first: 64, pages: 7, errno: "EINVAL" },
  "word-beyond-the-end": { slot: 1, first: 64, pages: 64, errno: "EINVAL" },
  "words-beyond-the-end": { slot: 1, first: 0, pages: 128, errno: "EINVAL" },
  "first-page-beyond-the-end": { slot: 1, first: 128, pages: 0, errno: "EINVAL" },
  "slot-without-log": { slot: 0, first: 0, pages: 32, errno: "ENOENT" },
  "no-such-slot": { slot: 2, first: 0, pages: 64, errno: "ENOENT" },
  "slot-number-too-high": { slot: 0xffff, first: 0, pages: 64, errno: "EINVAL" },
};

/** A clear of pages that do not lie as the bitmap's words do is refused, and clears nothing. */
export default defineCases(
  "memslot/clear-dirty-log-errors",
  rows,
  ({ slot, first, pages, errno }) => ({
    spec: [
      "KVM API 4.117: first_page and num_pages are multiples of 64, or reach the end of the slot",
      "virt/kvm/kvm_main.c: kvm_clear_dirty_log_protect (6.1, 6.12), as the document names no errno",
    ],
    requires: ["KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"],
    mode: "protected",
    guest: asm`
    mov byte [0x100000], 0xa1
    mov byte [0x145fff], 0xa2
    hlt
  `,
    drive({ vm, run, attempt }) {
      vm.enableCapability("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", 1);
      vm.memory.addRam(0x100000, 70 * 0x1000, { slot: 1, flags: MEMORY_LOG_DIRTY_PAGES });
      run();
      attempt(() => vm.memory.clearDirtyLog(slot, first, pages));
      vm.memory.dirtyLog(1, 70);
    },
    trace: `
    > enable manual-dirty-log-protect2 0x1
    > slot 0x1 gpa=0x100000 size=0x46000 flags=0x1
    hlt
    > clear-dirty-log ${hex(slot)} first=${hex(first)} pages=${hex(pages)} -> ${errno}
    > dirty-log 0x1 -> [0x0 0x45]
    = mem 0x100000 u8 0xa1
    = mem 0x145fff u8 0xa2
  `,
  }),
);
