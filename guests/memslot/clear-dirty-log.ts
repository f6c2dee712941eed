import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

/** What to clear of the 130 pages (first page, number of pages, which of them), and what is left of 0, 1, 63, 64, 127, 128, 129. */
interface Clear {
  readonly first: number;
  readonly pages: number;
  readonly which?: bigint;
  readonly line: string;
  readonly left: string;
}

const rows: Record<string, Clear> = {
  "first-word": {
    first: 0,
    pages: 64,
    line: "first=0x0 pages=0x40",
    left: "0x40 0x7f 0x80 0x81",
  },
  "second-word": {
    first: 64,
    pages: 64,
    line: "first=0x40 pages=0x40",
    left: "0x0 0x1 0x3f 0x80 0x81",
  },
  "two-words": { first: 0, pages: 128, line: "first=0x0 pages=0x80", left: "0x80 0x81" },
  "the-end": {
    first: 128,
    pages: 2,
    line: "first=0x80 pages=0x2",
    left: "0x0 0x1 0x3f 0x40 0x7f",
  },
  "all": { first: 0, pages: 130, line: "first=0x0 pages=0x82", left: "" },
  "some-bits": {
    first: 0,
    pages: 64,
    which: 0x8000000000000005n,
    line: "first=0x0 pages=0x40 which=0x8000000000000005",
    left: "0x1 0x40 0x7f 0x80 0x81",
  },
  "one-bit-of-the-end": {
    first: 128,
    pages: 2,
    which: 0x2n,
    line: "first=0x80 pages=0x2 which=0x2",
    left: "0x0 0x1 0x3f 0x40 0x7f 0x80",
  },
  "clean-pages": {
    first: 0,
    pages: 64,
    which: 0x7ffffffffffffffcn,
    line: "first=0x0 pages=0x40 which=0x7ffffffffffffffc",
    left: "0x0 0x1 0x3f 0x40 0x7f 0x80 0x81",
  },
  "no-bits": {
    first: 0,
    pages: 130,
    which: 0n,
    line: "first=0x0 pages=0x82 which=0x0",
    left: "0x0 0x1 0x3f 0x40 0x7f 0x80 0x81",
  },
  "no-pages": {
    first: 128,
    pages: 0,
    line: "first=0x80 pages=0x0",
    left: "0x0 0x1 0x3f 0x40 0x7f 0x80 0x81",
  },
};

/** Under manual protection a fetch clears nothing, and a clear the pages that are set in its bitmap, which are then logged anew. */
export default defineCases(
  "memslot/clear-dirty-log",
  rows,
  ({ first, pages, which, line, left }) => ({
    spec: [
      "KVM API 4.117: KVM_CLEAR_DIRTY_LOG",
      "KVM API 7.18: KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 (KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE)",
    ],
    requires: ["KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"],
    mode: "protected",
    guest: asm`
    mov ecx, 2
  round:
    mov [0x100000], cl
    mov [0x101000], cl
    mov [0x13f000], cl
    mov [0x140000], cl
    mov [0x17f000], cl
    mov [0x180000], cl
    mov [0x181000], cl
    out 0x10, al
    loop round
    hlt
  `,
    drive({ vm, run }) {
      vm.enableCapability("KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", 1);
      const flags = MEMORY_LOG_DIRTY_PAGES;
      vm.memory.addRam(0x100000, 130 * 0x1000, { slot: 1, flags });
      run();
      vm.memory.dirtyLog(1, 130);
      vm.memory.clearDirtyLog(1, first, pages, which);
      vm.memory.dirtyLog(1, 130);
      run();
      vm.memory.dirtyLog(1, 130);
    },
    trace: `
    > enable manual-dirty-log-protect2 0x1
    > slot 0x1 gpa=0x100000 size=0x82000 flags=0x1
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x0 0x1 0x3f 0x40 0x7f 0x80 0x81]
    > clear-dirty-log 0x1 ${line}
    > dirty-log 0x1 -> [${left}]
    pio out 0x10 u8 0x0
    > dirty-log 0x1 -> [0x0 0x1 0x3f 0x40 0x7f 0x80 0x81]
    hlt
    = mem 0x100000 u8 0x1
    = mem 0x101000 u8 0x1
    = mem 0x13f000 u8 0x1
    = mem 0x140000 u8 0x1
    = mem 0x17f000 u8 0x1
    = mem 0x180000 u8 0x1
    = mem 0x181000 u8 0x1
  `,
  }),
);
