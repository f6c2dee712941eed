import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";
import { hex } from "./_hex.ts";

interface Change {
  readonly gpa?: bigint;
  readonly size?: number;
  /** Bytes into the memory; the slot has 0x1000. */
  readonly offset?: number;
  readonly flags?: number;
  readonly errno?: string;
}

const rows: Record<string, Change> = {
  "grow": { size: 0x3000 },
  "shrink": { size: 0x1000 },
  "other-memory": { offset: 0 },
  "read-only": { flags: MEMORY_READONLY },
  "unknown-flag": { flags: 1 << 3 },
  "grow-and-move": { gpa: 0x300000n, size: 0x3000 },
  "other-memory-and-move": { gpa: 0x300000n, offset: 0x2000 },
  "read-only-and-move": { gpa: 0x300000n, flags: MEMORY_READONLY },
  "move-unaligned": { gpa: 0x300800n },
  "move-wraps": { gpa: 0xffff_ffff_ffff_f000n },
  // Refused after the slot has been taken out of use: it must come back.
  "move-beyond-52-bits": { gpa: 1n << 52n },
  "move-onto-slot": { gpa: 0x200000n, errno: "EEXIST" },
  "move-into-slot": { gpa: 0x1ff000n, errno: "EEXIST" },
  "move-onto-slot-0": { gpa: 0x10000n, errno: "EEXIST" },
  "delete-unknown-flag": { size: 0, flags: 1 << 3 },
  "delete-unaligned-gpa": { size: 0, gpa: 0x100001n },
  "delete-unaligned-memory": { size: 0, offset: 0x1001 },
};

/** A change that a slot may not undergo is refused, and the slot is what and where it was. */
export default defineCases("memslot/change-refused", rows, (row) => {
  const { gpa = 0x100000n, size = 0x2000, offset = 0x1000, flags = 0, errno = "EINVAL" } = row;
  return {
    spec: [
      "KVM API 4.35: a slot may be moved or its flags modified, but it may not be resized",
      "virt/kvm/kvm_main.c: __kvm_set_memory_region (6.1, 6.12), where the document names no errno",
    ],
    mode: "protected",
    guest: asm`
      mov eax, [0x100000]
      mov ebx, [0x101ffc]
      mov ecx, [0x200000]
      mov byte [0x100004], 0x99
      mov edx, [0x102000]
      mov esi, [0x300000]
      hlt
    `,
    drive({ vm, attempt }) {
      const memory = vm.memory.map(0x5000);
      memory.view.setUint32(0x1000, 0x44332211, true);
      memory.view.setUint32(0x2ffc, 0x88776655, true);
      memory.view.setUint32(0x4000, 0xccbbaa99, true);
      const slot = { slot: 1, guestAddress: 0x100000, size: 0x2000, memory, offset: 0x1000 };
      vm.memory.setSlot(slot);
      vm.memory.setSlot({ ...slot, slot: 2, guestAddress: 0x200000, size: 0x1000, offset: 0x4000 });
      attempt(() => vm.memory.setSlot({ ...slot, guestAddress: gpa, size, offset, flags }));
    },
    trace: `
      > slot 0x1 gpa=0x100000 size=0x2000
      > slot 0x2 gpa=0x200000 size=0x1000
      > slot 0x1 gpa=${hex(gpa)} size=${hex(size)} ${flags ? `flags=${hex(flags)}` : ""} -> ${errno}
      mmio read 0x102000 u32 -> 0x55
      mmio read 0x300000 u32 -> 0x66
      hlt
      = rax 0x44332211
      = rbx 0x88776655
      = rcx 0xccbbaa99
      = rdx 0x55
      = rsi 0x66
      = mem 0x100004 u8 0x99
    `,
  };
});
