import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";

// What is at 0x100010 is 0x7fffffff.
const rows = {
  inc: {
    guest: asm`inc dword [ebx]`,
    trace: `
      mmio write 0x100010 u32 0x80000000
      hlt
      = rflags 0x896
    `,
  },
  add: {
    guest: asm`add [ebx], ebx`,
    trace: `
      mmio write 0x100010 u32 0x8010000f
      hlt
      = rflags 0x886
    `,
  },
  not: {
    guest: asm`not dword [ebx]`,
    trace: `
      mmio write 0x100010 u32 0x80000000
      hlt
    `,
  },
  // All flags but CF and ZF are undefined after BTS.
  bts: {
    guest: asm`bts dword [ebx], 31`,
    trace: `
      mmio write 0x100010 u32 0xffffffff
      hlt
      = rflags *
    `,
  },
  // AF is undefined after OR.
  "lock-or": {
    guest: asm`lock or byte [ebx + 3], 0x80`,
    trace: `
      mmio write 0x100013 u8 0xff
      hlt
      = rflags 0x86|0x96
    `,
  },
  xchg: {
    guest: asm`
      mov ecx, 0x44332211
      xchg [ebx], ecx
    `,
    trace: `
      mmio write 0x100010 u32 0x44332211
      hlt
      = rcx 0x7fffffff
    `,
  },
  xadd: {
    guest: asm`
      mov ecx, 0x80000001
      xadd [ebx], ecx
    `,
    trace: `
      mmio write 0x100010 u32 0x0
      hlt
      = rcx 0x7fffffff
      = rflags 0x57
    `,
  },
  "lock-cmpxchg-equal": {
    guest: asm`
      mov eax, 0x7fffffff
      mov ecx, 0x44332211
      lock cmpxchg [ebx], ecx
    `,
    trace: `
      mmio write 0x100010 u32 0x44332211
      hlt
      = rax 0x7fffffff
      = rcx 0x44332211
      = rflags 0x46
    `,
  },
  // Its destination gets a write cycle whatever the result of the comparison (SDM 2A: CMPXCHG).
  "cmpxchg-unequal": {
    guest: asm`
      mov ecx, 0x44332211
      cmpxchg [ebx], ecx
    `,
    trace: `
      mmio write 0x100010 u32 0x7fffffff
      hlt
      = rax 0x7fffffff
      = rcx 0x44332211
      = rflags 0x93
    `,
  },
};

/** A read-modify-write of a read-only slot reads RAM and writes by an MMIO exit, once, with its flags set. */
export default defineCases("memslot/readonly-modify", rows, ({ guest, trace }) => ({
  spec: ["KVM API 4.35: writes to a KVM_MEM_READONLY slot are posted as KVM_EXIT_MMIO"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest: asm`
    mov ebx, 0x100010
    ${guest}
    mov edx, [ebx]
    hlt
  `,
  drive({ vm }) {
    const memory = vm.memory.map(0x1000);
    memory.view.setUint32(0x10, 0x7fffffff, true);
    const flags = MEMORY_READONLY;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x1000, memory, flags });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000 flags=0x2
    ${trace}
    = rbx 0x100010
    = rdx 0x7fffffff
  `,
}));
