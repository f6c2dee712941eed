import { asm, defineCases } from "../../mod.ts";

const rows = {
  "read-off-the-end": {
    guest: asm`
      mov eax, [0x100ffe]
      mov bl, [0x100fff]
      hlt
    `,
    trace: `
      mmio read 0x101000 u16 -> 0x8877
      hlt
      = rax 0x88776655
      = rbx 0x66
    `,
  },
  "read-onto-the-start": {
    guest: asm`
      mov eax, [0xfffff]
      mov bl, [0x100000]
      hlt
    `,
    trace: `
      mmio read 0xfffff u8 -> 0x99
      hlt
      = rax 0x33221199
      = rbx 0x11
    `,
  },
  "write-off-the-end": {
    guest: asm`
      mov eax, 0xddccbbaa
      mov [0x100ffd], eax
      hlt
    `,
    trace: `
      mmio write 0x101000 u8 0xdd
      hlt
      = rax 0xddccbbaa
      = mem 0x100ffd u8 [0xaa 0xbb 0xcc]
    `,
  },
  "write-onto-the-start": {
    guest: asm`
      mov eax, 0xddccbbaa
      mov [0xffffd], eax
      hlt
    `,
    trace: `
      mmio write 0xffffd u24 0xccbbaa
      hlt
      = rax 0xddccbbaa
      = mem 0x100000 u8 0xdd
    `,
  },
  "read-modify-write-off-the-end": {
    guest: asm`
      add dword [0x100ffe], 0x11110001
      hlt
    `,
    trace: `
      mmio read 0x101000 u16 -> 0x8877
      mmio write 0x101000 u16 0x9988
      hlt
      = rflags 0x86
      = mem 0x100ffe u8 0x56
    `,
  },
  "rep-stos-off-the-end": {
    guest: asm`
      mov edi, 0x100ffe
      mov al, 0xee
      mov ecx, 4
      rep stosb
      hlt
    `,
    trace: `
      mmio write 0x101000 u8 0xee
      mmio write 0x101001 u8 0xee
      hlt
      = rax 0xee
      = rdi 0x101002
      = mem 0x100ffe u8 [0xee 0xee]
    `,
  },
};

/** Of an access across the edge of a slot, one part is RAM and the other an MMIO exit. */
export default defineCases("memslot/edge", rows, ({ guest, trace }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO", "KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
  mode: "protected",
  guest,
  drive({ vm }) {
    const memory = vm.memory.map(0x1000);
    memory.view.setUint32(0, 0x44332211, true);
    memory.view.setUint16(0xffe, 0x6655, true);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x1000, memory });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    ${trace}
  `,
}));
