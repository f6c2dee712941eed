import { asm, defineCases } from "../../mod.ts";

const rows = {
  "data": {
    guest: asm`
      mov dword [0x100ffc], 0x44332211
      mov eax, [0x200ffc]
      mov byte [0x200ffd], 0x99
      mov ebx, [0x100ffc]
      lock inc dword [0x200000]
      lock inc dword [0x100000]
      mov ecx, [0x200000]
      hlt
    `,
    trace: `
      = rax 0x44332211
      = rbx 0x44339911
      = rcx 0x2
      = mem 0x100ffc u32 0x44339911
      = mem 0x100000 u32 0x2
    `,
  },
  // The second slot begins a page earlier in the memory.
  "offset": {
    guest: asm`
      mov byte [0x100000], 0x11
      mov byte [0x101000], 0x22
      mov al, [0x201000]
      mov ah, [0x202000]
      hlt
    `,
    trace: `
      = rax 0x2211
      = mem 0x100000 u8 0x11
      = mem 0x101000 u8 0x22
    `,
  },
  // MOV AL, imm8; RET, called through one slot and changed through the other.
  "code": {
    guest: asm`
      mov dword [0x100000], 0x00c311b0
      mov ebx, 0x200000
      call ebx
      mov cl, al
      mov byte [0x100001], 0x22
      jmp serialized
    serialized:
      call ebx
      mov ch, al
      hlt
    `,
    trace: `
      = rax 0x22
      = rbx 0x200000
      = rcx 0x2211
      = mem 0x7ffc u32 *
      = mem 0x100000 u32 0xc322b0
    `,
  },
};

/** Two slots over one piece of memory are one memory: what is written through one is read through the other. */
export default defineCases("memslot/alias", rows, ({ guest, trace }, name) => ({
  spec: ["KVM API 4.35: any object may back a slot's memory"],
  mode: "protected",
  guest,
  drive({ vm }) {
    const memory = vm.memory.map(0x4000);
    const slot = { memory, size: 0x2000 };
    vm.memory.setSlot({ ...slot, slot: 1, guestAddress: 0x100000, offset: 0x1000 });
    const offset = name === "offset" ? 0 : 0x1000;
    vm.memory.setSlot({ ...slot, slot: 2, guestAddress: 0x200000, size: 0x3000, offset });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x2000
    > slot 0x2 gpa=0x200000 size=0x3000
    hlt
    ${trace}
  `,
}));
