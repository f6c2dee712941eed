import { asm, defineCases } from "../../mod.ts";
import { hex } from "./_hex.ts";

const rows = {
  "end-of-4-gib": 0xffffe000n,
  "across-4-gib": 0xfffff000n,
  "above-4-gib": 0x1_0000_0000n,
  "across-32-gib": 0x7_ffff_f000n,
  // Every processor that has long mode has at least 36 bits of physical address.
  "end-of-36-bits": 0xf_ffff_e000n,
};

/** A slot of two pages works anywhere in the guest physical address space that the guest can map. */
export default defineCases("memslot/high", rows, (gpa) => ({
  spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "SDM 3A 4.5: 4-level paging"],
  mode: "long",
  machine: { map: [{ virtual: 0x4000_0000, physical: gpa, size: 0x2000, pageSize: 0x1000 }] },
  guest: asm`
    mov rbx, 0x40000000
    mov rax, [rbx]
    mov rcx, [rbx + 0x1ff8]
    mov [rbx + 0xffc], rax
    inc qword [rbx + 0x1ff8]
    mov rdx, [rbx + 0xffc]
    hlt
  `,
  drive({ vm }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setBigUint64(0, 0x8877665544332211n, true);
    memory.view.setBigUint64(0x1ff8, 0xffeeddccbbaa9988n, true);
    vm.memory.setSlot({ slot: 1, guestAddress: gpa, size: 0x2000, memory });
  },
  trace: `
    > slot 0x1 gpa=${hex(gpa)} size=0x2000
    hlt
    = rax 0x8877665544332211
    = rbx 0x40000000
    = rcx 0xffeeddccbbaa9988
    = rdx 0x8877665544332211
    = rflags 0x82
    = mem ${hex(gpa + 0xffcn)} u64 0x8877665544332211
    = mem ${hex(gpa + 0x1ff8n)} u8 0x89
  `,
}));
