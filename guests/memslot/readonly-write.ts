import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";

const rows = {
  u8: { guest: asm`mov byte [0x100fff], 0xa1`, exits: "mmio write 0x100fff u8 0xa1" },
  u16: { guest: asm`mov word [0x100000], 0xb2a1`, exits: "mmio write 0x100000 u16 0xb2a1" },
  u32: {
    guest: asm`mov dword [0x100801], 0xd4c3b2a1`,
    exits: "mmio write 0x100801 u32 0xd4c3b2a1",
  },
  // The value that is there already is a write all the same.
  "same-value": { guest: asm`mov byte [0x100ffc], 0x55`, exits: "mmio write 0x100ffc u8 0x55" },
  "across-pages": {
    guest: asm`mov dword [0x100ffd], 0xd4c3b2a1`,
    exits: `
      mmio write 0x100ffd u24 0xc3b2a1
      mmio write 0x101000 u8 0xd4
    `,
  },
  "twice": {
    guest: asm`
      mov byte [0x100010], 0xa1
      mov byte [0x100010], 0xb2
    `,
    exits: `
      mmio write 0x100010 u8 0xa1
      mmio write 0x100010 u8 0xb2
    `,
  },
};

/** A write to a read-only slot becomes an MMIO exit with its value, and the memory stays as it is. */
export default defineCases("memslot/readonly-write", rows, ({ guest, exits }) => ({
  spec: ["KVM API 4.35: writes to a KVM_MEM_READONLY slot are posted as KVM_EXIT_MMIO"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  // Read before and after: the write must not make KVM take the page for a hole.
  guest: asm`
    mov eax, [0x100ffc]
    ${guest}
    mov ebx, [0x100ffc]
    mov ecx, [0x101000]
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
    ${exits}
    hlt
    = rax 0x88776655
    = rbx 0x88776655
    = rcx 0x8877aa99
  `,
}));
