import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES, MEMORY_READONLY } from "../../mod.ts";

const rows = {
  plain: { flags: 0, read: "", written: "= mem 0x100004 u8 [0x11 0x22 0x33 0x44]" },
  "log-dirty": {
    flags: MEMORY_LOG_DIRTY_PAGES,
    read: "> dirty-log 0x1 -> [0x0]",
    written: "= mem 0x100004 u8 [0x11 0x22 0x33 0x44]",
  },
  readonly: {
    flags: MEMORY_READONLY,
    read: "",
    written: "",
  },
};

/** KVM_SET_USER_MEMORY_REGION2 does to a slot what KVM_SET_USER_MEMORY_REGION does. */
export default defineCases("system/slot-2", rows, ({ flags, read, written }) => ({
  spec: [
    "KVM API 4.140: KVM_SET_USER_MEMORY_REGION2",
    "KVM API 4.35: KVM_SET_USER_MEMORY_REGION",
  ],
  mode: "protected",
  requires: ["KVM_CAP_USER_MEMORY2", "KVM_CAP_READONLY_MEM"],
  guest: asm`
    mov eax, [0x100000]
    mov [0x100004], eax
    out 0x10, al
    mov ebx, [0x100000]
    hlt
  `,
  drive({ vm, run, attempt }) {
    const memory = vm.memory.map(0x2000);
    memory.view.setUint32(0, 0x44332211, true);
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x1000, memory, flags };
    vm.memory.setSlot2(slot);
    // It is the same slot to both ioctls.
    attempt(() => vm.memory.setSlot({ ...slot, slot: 2 }));
    attempt(() => vm.memory.setSlot2({ ...slot, slot: 2 }));
    attempt(() => vm.memory.setSlot2({ ...slot, flags: 1 << 4 }));
    run();
    if (flags === MEMORY_READONLY) run();
    if (flags === MEMORY_LOG_DIRTY_PAGES) vm.memory.dirtyLog(1, 1);
    vm.memory.setSlot2({ ...slot, size: 0 });
  },
  trace: `
    > slot2 0x1 gpa=0x100000 size=0x1000 ${flags ? `flags=0x${flags}` : ""}
    > slot 0x2 gpa=0x100000 size=0x1000 ${flags ? `flags=0x${flags}` : ""} -> EEXIST
    > slot2 0x2 gpa=0x100000 size=0x1000 ${flags ? `flags=0x${flags}` : ""} -> EEXIST
    > slot2 0x1 gpa=0x100000 size=0x1000 flags=0x10 -> EINVAL
    ${flags === MEMORY_READONLY ? "mmio write 0x100004 u8 [0x11 0x22 0x33 0x44]" : ""}
    pio out 0x10 u8 0x11
    ${read}
    > slot2 0x1 gpa=0x100000 size=0x0 ${flags ? `flags=0x${flags}` : ""}
    mmio read 0x100000 u32 -> 0x88776655
    hlt
    = rax 0x44332211
    = rbx 0x88776655
    ${written}
  `,
}));
