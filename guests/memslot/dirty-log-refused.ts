import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { hex } from "./_hex.ts";

const rows = {
  "resize": { gpa: 0x100000n, size: 0x1000, flags: 1, errno: "EINVAL" },
  "move-onto-slot-0": { gpa: 0x1f000n, size: 0x3000, flags: 1, errno: "EEXIST" },
  // Refused after the slot has been taken out of use.
  "move-beyond-52-bits": { gpa: 1n << 52n, size: 0x3000, flags: 1, errno: "EINVAL" },
  "unknown-flag": { gpa: 0x100000n, size: 0x3000, flags: 9, errno: "EINVAL" },
};

/** A refused change of a slot neither loses its dirty log nor stops it. */
export default defineCases("memslot/dirty-log-refused", rows, ({ gpa, size, flags, errno }) => ({
  spec: [
    "KVM API 4.8: any pages dirtied since the last call to this ioctl",
    "virt/kvm/kvm_main.c: __kvm_set_memory_region (6.1, 6.12) for the errno",
  ],
  mode: "protected",
  guest: asm`
    mov byte [0x100000], 0xa1
    out 0x10, al
    mov byte [0x102000], 0xb2
    hlt
  `,
  drive({ vm, run, attempt }) {
    const memory = vm.memory.map(0x3000);
    const slot = {
      slot: 1,
      guestAddress: 0x100000,
      size: 0x3000,
      memory,
      flags: MEMORY_LOG_DIRTY_PAGES,
    };
    vm.memory.setSlot(slot);
    run();
    attempt(() => vm.memory.setSlot({ ...slot, guestAddress: gpa, size, flags }));
    run();
    vm.memory.dirtyLog(1, 3);
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000 flags=0x1
    pio out 0x10 u8 0x0
    > slot 0x1 gpa=${hex(gpa)} size=${hex(size)} flags=${hex(flags)} -> ${errno}
    hlt
    > dirty-log 0x1 -> [0x0 0x2]
    = mem 0x100000 u8 0xa1
    = mem 0x102000 u8 0xb2
  `,
}));
