import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";

// What writes, and which of the five pages the log must name.
const rows = {
  "mov": {
    guest: asm`mov dword [0x101000], 0x11223344`,
    log: "0x1",
    trace: "= mem 0x101000 u32 0x11223344",
  },
  "mov-same-value": { guest: asm`mov byte [0x101000], 0`, log: "0x1", trace: "" },
  "mov-across-pages": {
    guest: asm`mov dword [0x101ffd], 0x11223344`,
    log: "0x1 0x2",
    trace: "= mem 0x101ffd u8 [0x44 0x33 0x22 0x11]",
  },
  "inc": {
    guest: asm`inc dword [0x102ffc]`,
    log: "0x2",
    trace: "= mem 0x102ffc u8 0x1",
  },
  "xchg": {
    guest: asm`
      mov al, 0x33
      xchg [0x103000], al
    `,
    log: "0x3",
    trace: "= mem 0x103000 u8 0x33",
  },
  "cmpxchg-equal": {
    guest: asm`
      mov cl, 0x33
      lock cmpxchg [0x103000], cl
    `,
    log: "0x3",
    trace: `
      = rcx 0x33
      = rflags 0x46
      = mem 0x103000 u8 0x33
    `,
  },
  // Its destination gets a write cycle whatever the result of the comparison (SDM 2A: CMPXCHG).
  "cmpxchg-unequal": {
    guest: asm`
      mov al, 0x44
      lock cmpxchg [0x103000], cl
    `,
    log: "0x3",
    trace: "= rflags 0x6",
  },
  "rep-stos": {
    guest: asm`
      mov edi, 0x100ff8
      mov al, 0x55
      mov ecx, 0x1010
      rep stosb
    `,
    log: "0x0 0x1 0x2",
    trace: `
      = rax 0x55
      = rdi 0x102008
      = mem 0x100ff8 u8 [${"0x55 ".repeat(0x1010)}]
    `,
  },
  "std-stos": {
    guest: asm`
      mov edi, 0x103001
      mov al, 0x55
      mov ecx, 4
      std
      rep stosb
      cld
    `,
    log: "0x2 0x3",
    trace: `
      = rax 0x55
      = rdi 0x102ffd
      = mem 0x102ffe u8 [0x55 0x55 0x55 0x55]
    `,
  },
  "push": {
    guest: asm`
      mov esp, 0x104000
      push 0x66
    `,
    log: "0x3",
    trace: `
      = rsp 0x103ffc
      = mem 0x103ffc u8 0x66
    `,
  },
  "call": {
    guest: asm`
      mov esp, 0x103002
      call function
    function:
    `,
    log: "0x2 0x3",
    trace: `
      = rsp 0x102ffe
      = mem 0x102ffe u32 0x800a
    `,
  },
  // The destination is written by KVM's emulator, which has the source from an MMIO exit.
  "movs-from-mmio": {
    guest: asm`
      mov esi, 0xd0000000
      mov edi, 0x102ffe
      movsd
    `,
    log: "0x2 0x3",
    exits: "mmio read 0xd0000000 u32 -> 0x11223344",
    trace: `
      = rsi 0xd0000004
      = rdi 0x103002
      = mem 0x102ffe u32 0x11223344
    `,
  },
  "ins": {
    guest: asm`
      mov edi, 0x104fff
      mov dx, 0x20
      insb
    `,
    log: "0x4",
    exits: "pio in 0x20 u8 -> 0x77",
    trace: `
      = rdx 0x20
      = rdi 0x105000
      = mem 0x104fff u8 0x77
    `,
  },
  "push-from-mmio": {
    guest: asm`
      mov esp, 0x104004
      push dword [0xd0000000]
    `,
    log: "0x4",
    exits: "mmio read 0xd0000000 u32 -> 0x11223344",
    trace: `
      = rsp 0x104000
      = mem 0x104000 u32 0x11223344
    `,
  },
};

/** Whatever instruction writes to it, and whoever carries it out, a written page is in the dirty log. */
export default defineCases("memslot/dirty-log-write", rows, (row) => ({
  spec: ["KVM API 4.8: KVM_GET_DIRTY_LOG"],
  mode: "protected",
  guest: asm`
    ${row.guest}
    hlt
  `,
  drive({ vm, run }) {
    const flags = MEMORY_LOG_DIRTY_PAGES;
    vm.memory.addRam(0x100000, 0x5000, { slot: 1, flags });
    while (run().reason !== "hlt");
    vm.memory.dirtyLog(1, 5);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x5000 flags=0x1
    ${"exits" in row ? row.exits : ""}
    hlt
    > dirty-log 0x1 -> [${row.log}]
    ${row.trace}
  `,
}));
