import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";

const rows = {
  stos: {
    guest: asm`
      mov edi, 0x100ffe
      mov al, 0xa1
      mov ecx, 3
      rep stosb
      hlt
    `,
    trace: `
      mmio write 0x100ffe u8 0xa1
      mmio write 0x100fff u8 0xa1
      mmio write 0x101000 u8 0xa1
      hlt
      = rax 0xa1
      = rdi 0x101001
    `,
  },
  // The second word is copied as it lies there, not as the first write would have made it.
  movs: {
    guest: asm`
      mov esi, 0x100ffe
      mov edi, 0x101000
      mov ecx, 2
      rep movsw
      hlt
    `,
    trace: `
      mmio write 0x101000 u16 0x2211
      mmio write 0x101002 u16 0x4433
      hlt
      = rsi 0x101002
      = rdi 0x101004
    `,
  },
  ins: {
    guest: asm`
      mov edi, 0x100fff
      mov dx, 0x20
      insb
      hlt
    `,
    trace: `
      pio in 0x20 u8 -> 0x5a
      mmio write 0x100fff u8 0x5a
      hlt
      = rdx 0x20
      = rdi 0x101000
    `,
  },
  push: {
    guest: asm`
      mov eax, 0x44332211
      mov esp, 0x101002
      push eax
      pop ebx
      hlt
    `,
    trace: `
      mmio write 0x100ffe u16 0x2211
      mmio write 0x101000 u16 0x4433
      hlt
      = rax 0x44332211
      = rbx 0x44332211
      = rsp 0x101002
    `,
  },
  // What RET takes is what lies there, not what CALL wrote.
  call: {
    guest: asm`
      mov esp, 0x100804
      call function
      hlt
    function:
      ret
    back:
      mov al, 1
      hlt
    `,
    trace: `
      mmio write 0x100800 u32 0x800a
      hlt
      = rax 0x1
      = rsp 0x100804
    `,
  },
};

/** Implicit writes of string and stack instructions to a read-only slot exit too, each with its value. */
export default defineCases("memslot/readonly-string", rows, ({ guest, trace }) => ({
  spec: ["KVM API 4.35: writes to a KVM_MEM_READONLY slot are posted as KVM_EXIT_MMIO"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest,
  drive({ vm, labels }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0xffe, 0x44332211, true);
    memory.view.setUint32(0x800, Number(labels.get("back") ?? 0), true);
    const flags = MEMORY_READONLY;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory, flags });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000 flags=0x2
    ${trace}
  `,
}));
