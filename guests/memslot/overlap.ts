import { asm, defineCases } from "../../mod.ts";
import { hex } from "./_hex.ts";

const rows = {
  "same": { gpa: 0x100000, size: 0x3000 },
  "low-end": { gpa: 0xff000, size: 0x2000 },
  "high-end": { gpa: 0x102000, size: 0x2000 },
  "first-page": { gpa: 0x100000, size: 0x1000 },
  "middle-page": { gpa: 0x101000, size: 0x1000 },
  "last-page": { gpa: 0x102000, size: 0x1000 },
  "around": { gpa: 0xff000, size: 0x5000 },
  "from-below-to-the-end": { gpa: 0xff000, size: 0x4000 },
  "from-the-start-to-above": { gpa: 0x100000, size: 0x4000 },
  "two-slots": { gpa: 0x102000, size: 0x3000 },
  "slot-0": { gpa: 0x1f000, size: 0x2000 },
  "all-slots": { gpa: 0, size: 0x200000 },
};

/** A slot over a part of another one is refused with EEXIST, and both places stay what they were. */
export default defineCases("memslot/overlap", rows, ({ gpa, size }) => ({
  spec: [
    "KVM API 4.35: slots may not overlap in guest physical address space",
    "virt/kvm/kvm_main.c: __kvm_set_memory_region gives EEXIST (6.1, 6.12)",
  ],
  mode: "protected",
  guest: asm`
    mov eax, [0x100000]
    mov ebx, [0x101000]
    mov ecx, [0x102ffc]
    mov edx, [0x104000]
    mov esi, [0xffffc]
    mov edi, [0x103000]
    mov ebp, [0x20000]
    mov [0x101004], eax
    hlt
  `,
  drive({ vm, attempt }) {
    const memory = vm.memory.map(0x4000);
    memory.view.setUint32(0, 0x11, true);
    memory.view.setUint32(0x1000, 0x22, true);
    memory.view.setUint32(0x2ffc, 0x33, true);
    memory.view.setUint32(0x3000, 0x44, true);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x3000, memory });
    vm.memory.setSlot({ slot: 3, guestAddress: 0x104000, size: 0x1000, memory, offset: 0x3000 });
    const other = vm.memory.map(0x200000);
    attempt(() => vm.memory.setSlot({ slot: 2, guestAddress: gpa, size, memory: other }));
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000
    > slot 0x3 gpa=0x104000 size=0x1000
    > slot 0x2 gpa=${hex(gpa)} size=${hex(size)} -> EEXIST
    mmio read 0xffffc u32 -> 0x55
    mmio read 0x103000 u32 -> 0x66
    mmio read 0x20000 u32 -> 0x77
    hlt
    = rax 0x11
    = rbx 0x22
    = rcx 0x33
    = rdx 0x44
    = rsi 0x55
    = rdi 0x66
    = rbp 0x77
    = mem 0x101004 u32 0x11
  `,
}));
