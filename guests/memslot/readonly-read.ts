import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";

const rows = {
  u8: { guest: asm`mov al, [0x100fff]`, trace: "= rax 0x88" },
  u16: { guest: asm`mov ax, [0x100ffe]`, trace: "= rax 0x8877" },
  u32: { guest: asm`mov eax, [0x100ffc]`, trace: "= rax 0x88776655" },
  "across-pages": { guest: asm`mov eax, [0x100ffe]`, trace: "= rax 0xaa998877" },
  // AF is undefined after TEST.
  test: { guest: asm`test dword [0x100ffc], 0x80000000`, trace: "= rflags 0x86|0x96" },
  movs: {
    guest: asm`
      mov esi, 0x100ffc
      mov edi, 0xa000
      mov ecx, 2
      rep movsd
    `,
    trace: `
      = rsi 0x101004
      = rdi 0xa008
      = mem 0xa000 u32 [0x88776655 0x8877aa99]
    `,
  },
  pop: {
    guest: asm`
      mov esp, 0x100ffc
      pop eax
      pop ebx
    `,
    trace: `
      = rax 0x88776655
      = rbx 0x8877aa99
      = rsp 0x101004
    `,
  },
};

/** A guest reads a read-only slot as RAM, without an exit. */
export default defineCases("memslot/readonly-read", rows, ({ guest, trace }) => ({
  spec: ["KVM API 4.35: KVM_MEM_READONLY"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest: asm`
    ${guest}
    hlt
  `,
  drive({ vm }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0xffc, 0x88776655, true);
    memory.view.setUint32(0x1000, 0x8877aa99, true);
    const flags = MEMORY_READONLY;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory, flags });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000 flags=0x2
    hlt
    ${trace}
  `,
}));
