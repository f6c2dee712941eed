import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";

const rows = {
  "ram-to-read-only": {
    guest: asm`mov dword [0x100ffd], 0xd4c3b2a1`,
    trace: `
      mmio write 0x101000 u8 0xd4
      hlt
      = mem 0x100ffd u8 [0xa1 0xb2 0xc3]
    `,
  },
  "read-only-to-ram": {
    guest: asm`mov dword [0x101fff], 0xd4c3b2a1`,
    trace: `
      mmio write 0x101fff u8 0xa1
      hlt
      = mem 0x102000 u8 [0xb2 0xc3 0xd4]
    `,
  },
  "hole-to-ram-to-read-only": {
    guest: asm`
      mov word [0xfffff], 0xb2a1
      mov word [0x100fff], 0xd4c3
    `,
    trace: `
      mmio write 0xfffff u8 0xa1
      mmio write 0x101000 u8 0xd4
      hlt
      = mem 0x100000 u8 0xb2
      = mem 0x100fff u8 0xc3
    `,
  },
  "modify-ram-to-read-only": {
    guest: asm`add dword [0x100ffe], 0x0001ffff`,
    trace: `
      mmio write 0x101000 u16 0x7678
      hlt
      = rflags 0x12
      = mem 0x100ffe u8 [0x75 0x76]
    `,
  },
};

/** Of a write across the edge of a read-only slot, one part is RAM and the other an MMIO exit. */
export default defineCases("memslot/readonly-edge", rows, ({ guest, trace }) => ({
  spec: ["KVM API 4.35: writes to a KVM_MEM_READONLY slot are posted as KVM_EXIT_MMIO"],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest: asm`
    ${guest}
    hlt
  `,
  drive({ vm }) {
    const memory = vm.memory.map(0x3000);
    memory.bytes.fill(0x76);
    const slot = { memory, size: 0x1000 };
    vm.memory.setSlot({ ...slot, slot: 1, guestAddress: 0x100000 });
    vm.memory.setSlot({
      ...slot,
      slot: 2,
      guestAddress: 0x101000,
      offset: 0x1000,
      flags: MEMORY_READONLY,
    });
    vm.memory.setSlot({ ...slot, slot: 3, guestAddress: 0x102000, offset: 0x2000 });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000
    > slot 0x2 gpa=0x101000 size=0x1000 flags=0x2
    > slot 0x3 gpa=0x102000 size=0x1000
    ${trace}
  `,
}));
