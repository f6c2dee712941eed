import { asm, defineCases, Mapping } from "../../mod.ts";
import { hex } from "./_hex.ts";

interface Row {
  readonly act: (memory: Mapping, other: Mapping) => void;
  /** What the first words of the six pages are after it. */
  readonly words: readonly number[];
  /** Memory that is shared with child processes: what is not needed is not lost. */
  readonly shared?: true;
}

/** The first words of the memory's pages and of the other memory's. */
const before = [0x10, 0x11, 0x12, 0x13, 0x14, 0x15];
const others = [0x20, 0x21, 0x22, 0x23, 0x24, 0x25];
const PAGE = 0x1000;

const rows: Record<string, Row> = {
  "nothing": { act: () => {}, words: before },
  "not-needed-first": {
    act: (memory) => memory.advise("dontneed", 0, PAGE),
    words: [0, 0x11, 0x12, 0x13, 0x14, 0x15],
  },
  "not-needed-middle": {
    act: (memory) => memory.advise("dontneed", 2 * PAGE, 2 * PAGE),
    words: [0x10, 0x11, 0, 0, 0x14, 0x15],
  },
  "not-needed-last": {
    act: (memory) => memory.advise("dontneed", 5 * PAGE),
    words: [0x10, 0x11, 0x12, 0x13, 0x14, 0],
  },
  "not-needed-all": { act: (memory) => memory.advise("dontneed"), words: [0, 0, 0, 0, 0, 0] },
  "not-needed-shared": {
    act: (memory) => memory.advise("dontneed"),
    words: before,
    shared: true,
  },
  "moved-in": {
    act: (memory, other) => other.movePages(PAGE, 2 * PAGE, memory, 3 * PAGE),
    words: [0x10, 0x11, 0x12, 0x21, 0x22, 0x15],
  },
  "moved-out": {
    act: (memory, other) => memory.movePages(0, 2 * PAGE, other, 0),
    words: [0, 0, 0x12, 0x13, 0x14, 0x15],
  },
  "moved-within": {
    act: (memory) => memory.movePages(PAGE, PAGE, memory, 4 * PAGE),
    words: [0x10, 0, 0x12, 0x13, 0x11, 0x15],
  },
  "exchanged": {
    act: (memory, other) => {
      memory.movePages(0, PAGE, other, 0);
      memory.movePages(5 * PAGE, PAGE, memory, 0);
      other.movePages(0, PAGE, memory, 5 * PAGE);
    },
    words: [0x15, 0x11, 0x12, 0x13, 0x14, 0x10],
  },
  "mapped-anew": { act: (memory) => memory.remap(), words: [0, 0, 0, 0, 0, 0] },
  "mapped-anew-and-written": {
    act: (memory) => {
      memory.remap();
      others.forEach((word, page) => memory.view.setUint32(page * PAGE, word, true));
    },
    words: others,
  },
  "read-only-for-a-time": {
    act: (memory) => {
      memory.protect("read");
      memory.protect("read-write");
    },
    words: before,
  },
  "unreachable-for-a-time": {
    act: (memory) => {
      memory.protect("none", 2 * PAGE, 3 * PAGE);
      memory.protect("read-write", 2 * PAGE, 3 * PAGE);
    },
    words: before,
  },
};

/**
 * What the host does to the memory behind slots is what the guest sees from then on, page by page
 * and through each slot that lies over it; what was there before is not written any more.
 */
export default defineCases("memslot/host-change", rows, ({ act, words, shared }) => ({
  spec: [
    "KVM API 4.35: changes in the backing of the memory region are automatically reflected into " +
    "the guest",
  ],
  mode: "protected",
  requires: ["KVM_CAP_SYNC_MMU"],
  guest: asm`
    mov edi, 0xa000
    call look
    call touch
    out 0x10, al
    mov edi, 0xa040
    call look
    call touch
    out 0x11, al
    mov edi, 0xa080
    call look
    xor ecx, ecx
    mov dword [0x7ffc], 0
    hlt
  look:                             ; at each page through one slot and through the others
    mov esi, 0x100000
    mov ecx, 6
  each:
    mov eax, [esi]
    stosd
    mov eax, [esi + 0x100000]
    stosd
    add esi, 0x1000
    loop each
    ret
  touch:                            ; add one to every page
    mov esi, 0x100000
    mov ecx, 6
  next:
    add dword [esi], 0x100
    add esi, 0x1000
    loop next
    ret
  `,
  drive({ vm, run, assertEquals }) {
    using own = shared ? Mapping.shared(6 * PAGE) : Mapping.anonymous(6 * PAGE);
    using other = Mapping.anonymous(6 * PAGE);
    before.forEach((word, page) => own.view.setUint32(page * PAGE, word, true));
    others.forEach((word, page) => other.view.setUint32(page * PAGE, word, true));
    const half = { size: 3 * PAGE, memory: own };
    vm.memory.setSlot({ ...half, slot: 1, guestAddress: 0x100000, size: 6 * PAGE });
    // The same memory again, in two slots that meet in its middle.
    vm.memory.setSlot({ ...half, slot: 2, guestAddress: 0x200000 });
    vm.memory.setSlot({ ...half, slot: 3, guestAddress: 0x203000, offset: 3 * PAGE });
    const word = (page: number) => own.view.getUint32(page * PAGE, true);
    const all = () => before.map((_, page) => word(page));
    run();
    assertEquals("what the guest wrote", all(), before.map((value) => value + 0x100));
    before.forEach((value, page) => own.view.setUint32(page * PAGE, value, true));
    act(own, other);
    run();
    assertEquals("what it wrote then", all(), words.map((value) => value + 0x100));
    run();
    for (const slot of [1, 2, 3]) vm.memory.setSlot({ slot, guestAddress: 0, size: 0 });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x6000
    > slot 0x2 gpa=0x200000 size=0x3000
    > slot 0x3 gpa=0x203000 size=0x3000
    pio out 0x10 u8 0x15
    pio out 0x11 u8 ${hex(words[5])}
    hlt
    > slot 0x1 gpa=0x0 size=0x0
    > slot 0x2 gpa=0x0 size=0x0
    > slot 0x3 gpa=0x0 size=0x0
    = rax ${hex(words[5] + 0x100)}
    = rsi 0x106000
    = rdi 0xa0b0
    = rflags 0x46
    = mem 0xa000 u32 [${twice(before)}]
    = mem 0xa040 u32 [${twice(words)}]
    = mem 0xa080 u32 [${twice(words.map((word) => word + 0x100))}]
  `,
}));

function twice(words: readonly number[]): string {
  return words.flatMap((word) => [hex(word), hex(word)]).join(" ");
}
