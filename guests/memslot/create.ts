import { asm, defineCases } from "../../mod.ts";

const sizes = {
  "one-page": 0x1000,
  "three-pages": 0x3000,
  "seventy-pages": 0x46000,
  "2mib": 0x200000,
};

/** A new slot is RAM from its first byte to its last, backed from the host address it names, and nothing around it is. */
export default defineCases("memslot/create", sizes, (size) => {
  const end = 0x100000 + size;
  return {
    spec: ["KVM API 4.35: KVM_SET_USER_MEMORY_REGION", "KVM API 5: KVM_EXIT_MMIO"],
    mode: "protected",
    guest: asm`
      mov eax, [0x100000]
      mov ebx, [${end - 4}]
      mov byte [0x100000], 0xa1
      mov byte [${end - 1}], 0xb2
      mov cl, [0xfffff]
      mov ch, [${end}]
      mov byte [0xfffff], 0xc3
      mov byte [${end}], 0xd4
      mov edx, [0x100000]
      mov esi, [${end - 4}]
      hlt
    `,
    // One page of memory lies before and behind what the slot takes of it: neither may be reached.
    drive({ vm }) {
      const memory = vm.memory.map(size + 0x2000);
      memory.view.setUint32(0x1000, 0x44332211, true);
      memory.view.setUint32(0x1000 + size - 4, 0x88776655, true);
      vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size, memory, offset: 0x1000 });
    },
    trace: `
      > slot 0x1 gpa=0x100000 size=0x${size.toString(16)}
      mmio read 0xfffff u8 -> 0x5a
      mmio read 0x${end.toString(16)} u8 -> 0xa5
      mmio write 0xfffff u8 0xc3
      mmio write 0x${end.toString(16)} u8 0xd4
      hlt
      = rax 0x44332211
      = rbx 0x88776655
      = rcx 0xa55a
      = rdx 0x443322a1
      = rsi 0xb2776655
      = mem 0x100000 u8 0xa1
      = mem 0x${(end - 1).toString(16)} u8 0xb2
    `,
  };
});
