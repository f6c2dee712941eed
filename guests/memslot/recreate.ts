import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";
import { hex } from "./_hex.ts";

interface Again {
  readonly gpa?: number;
  readonly size?: number;
  readonly offset?: number;
  readonly flags?: number;
  /** What the guest sees behind it: what it reads, and where its writes go. */
  readonly trace: string;
}

const rows: Record<string, Again> = {
  "same": {
    trace: `
      mmio read 0x102000 u32 -> 0x55
      mmio read 0x200000 u32 -> 0x66
      hlt
      = rax 0x11
      = rbx 0x22
      = rcx 0x55
      = rdx 0x66
      = mem 0x100010 u8 0x99
    `,
  },
  "smaller": {
    size: 0x1000,
    trace: `
      mmio read 0x101000 u32 -> 0x77
      mmio read 0x102000 u32 -> 0x55
      mmio read 0x200000 u32 -> 0x66
      hlt
      = rax 0x11
      = rbx 0x77
      = rcx 0x55
      = rdx 0x66
      = mem 0x100010 u8 0x99
    `,
  },
  "larger": {
    size: 0x3000,
    trace: `
      mmio read 0x200000 u32 -> 0x66
      hlt
      = rax 0x11
      = rbx 0x22
      = rcx 0x33
      = rdx 0x66
      = mem 0x100010 u8 0x99
    `,
  },
  "other-memory": {
    offset: 0x1000,
    trace: `
      mmio read 0x102000 u32 -> 0x55
      mmio read 0x200000 u32 -> 0x66
      hlt
      = rax 0x22
      = rbx 0x33
      = rcx 0x55
      = rdx 0x66
      = mem 0x100010 u8 0x99
    `,
  },
  "elsewhere": {
    gpa: 0x200000,
    trace: `
      mmio read 0x100000 u32 -> 0x88
      mmio read 0x101000 u32 -> 0x77
      mmio read 0x102000 u32 -> 0x55
      mmio write 0x100010 u8 0x99
      hlt
      = rax 0x88
      = rbx 0x77
      = rcx 0x55
      = rdx 0x11
    `,
  },
  "read-only": {
    flags: MEMORY_READONLY,
    trace: `
      mmio read 0x102000 u32 -> 0x55
      mmio read 0x200000 u32 -> 0x66
      mmio write 0x100010 u8 0x99
      hlt
      = rax 0x11
      = rbx 0x22
      = rcx 0x55
      = rdx 0x66
    `,
  },
};

/** After its deletion a slot number is free for a slot of any size, place, memory and flags. */
export default defineCases("memslot/recreate", rows, (row) => {
  const { gpa = 0x100000, size = 0x2000, offset = 0, flags = 0 } = row;
  return {
    spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION"],
    mode: "protected",
    requires: flags === MEMORY_READONLY ? ["KVM_CAP_READONLY_MEM"] : [],
    // The first round makes KVM map the slot's pages, so that a stale mapping would show.
    guest: asm`
      mov byte [0x100010], 0xaa
      mov byte [0x101010], 0xaa
      out 0x10, al
      mov eax, [0x100000]
      mov ebx, [0x101000]
      mov ecx, [0x102000]
      mov edx, [0x200000]
      mov byte [0x100010], 0x99
      hlt
    `,
    drive({ vm, run }) {
      const memory = vm.memory.map(0x3000);
      memory.view.setUint32(0, 0x11, true);
      memory.view.setUint32(0x1000, 0x22, true);
      memory.view.setUint32(0x2000, 0x33, true);
      const slot = { slot: 1, guestAddress: 0x100000, size: 0x2000, memory };
      vm.memory.setSlot(slot);
      run();
      memory.bytes[0x10] = memory.bytes[0x1010] = 0;
      vm.memory.setSlot({ ...slot, size: 0 });
      vm.memory.setSlot({ ...slot, guestAddress: gpa, size, offset, flags });
    },
    trace: `
      > slot 0x1 gpa=0x100000 size=0x2000
      pio out 0x10 u8 0x0
      > slot 0x1 gpa=0x100000 size=0x0
      > slot 0x1 gpa=${hex(gpa)} size=${hex(size)} ${flags ? `flags=${hex(flags)}` : ""}
      ${row.trace}
    `,
  };
});
