import { asm, defineCases } from "../../mod.ts";

const rows = {
  "read": {
    guest: asm`
      mov eax, [0x100ffe]
      mov bx, [0x100fff]
      hlt
    `,
    trace: `
      = rax 0x44332211
      = rbx 0x3322
    `,
  },
  "write": {
    guest: asm`
      mov dword [0x100ffd], 0xddccbbaa
      hlt
    `,
    trace: `
      = mem 0x100ffd u8 [0xaa 0xbb 0xcc]
      = mem 0x101000 u8 [0xdd]
    `,
  },
  // 0x44332211 + 0xfff0: the carry goes from one slot's memory into the other's.
  "read-modify-write": {
    guest: asm`
      add dword [0x100ffe], 0xfff0
      hlt
    `,
    trace: `
      = mem 0x100ffe u8 [0x1 0x22]
      = mem 0x101000 u8 [0x34]
    `,
  },
  "rep-movs": {
    guest: asm`
      mov esi, 0x100ffe
      mov edi, 0x100ffa
      mov ecx, 4
      rep movsb
      hlt
    `,
    trace: `
      = rsi 0x101002
      = rdi 0x100ffe
      = mem 0x100ffa u8 [0x11 0x22 0x33 0x44]
    `,
  },
  // MOV EAX, 0x12345678; HLT: two bytes in one slot, four in the other.
  "fetch": {
    guest: asm`
      mov dword [0x100ffe], 0x345678b8
      mov word [0x101002], 0xf412
      mov ebx, 0x100ffe
      jmp ebx
    `,
    trace: `
      = rax 0x12345678
      = rbx 0x100ffe
      = mem 0x100ffe u8 [0xb8 0x78]
      = mem 0x101000 u8 [0x56 0x34 0x12 0xf4]
    `,
  },
};

/** Two slots side by side are one piece of RAM to the guest, whatever memory is behind each. */
export default defineCases("memslot/straddle", rows, ({ guest, trace }) => ({
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "SDM 3A 3.3: physical address space"],
  mode: "protected",
  guest,
  drive({ vm }) {
    // Behind the first slot lies the second half of the memory, and the other way round.
    const memory = vm.memory.map(0x3000);
    memory.view.setUint16(0x2ffe, 0x2211, true);
    memory.view.setUint16(0, 0x4433, true);
    const slot = { size: 0x1000, memory };
    vm.memory.setSlot({ ...slot, slot: 2, guestAddress: 0x101000, offset: 0 });
    vm.memory.setSlot({ ...slot, slot: 1, guestAddress: 0x100000, offset: 0x2000 });
  },
  trace: `
    > slot 0x2 gpa=0x101000 size=0x1000
    > slot 0x1 gpa=0x100000 size=0x1000
    hlt
    ${trace}
  `,
}));
