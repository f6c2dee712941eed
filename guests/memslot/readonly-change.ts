import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES, MEMORY_READONLY } from "../../mod.ts";

const LOG = MEMORY_LOG_DIRTY_PAGES;
const READONLY = MEMORY_READONLY;

// Flags, guest address, and the call's line.
const rows = {
  "writable": { flags: 0, gpa: 0x100000, line: "> slot 0x1 gpa=0x100000 size=0x1000 -> EINVAL" },
  "writable-logged": {
    flags: LOG,
    gpa: 0x100000,
    line: "> slot 0x1 gpa=0x100000 size=0x1000 flags=0x1 -> EINVAL",
  },
  "writable-elsewhere": {
    flags: 0,
    gpa: 0x200000,
    line: "> slot 0x1 gpa=0x200000 size=0x1000 -> EINVAL",
  },
  "logged": {
    flags: READONLY | LOG,
    gpa: 0x100000,
    line: "> slot 0x1 gpa=0x100000 size=0x1000 flags=0x3",
  },
};

/** A slot that was made read-only stays so: only its logging may change. */
export default defineCases("memslot/readonly-change", rows, ({ flags, gpa, line }) => ({
  spec: [
    "KVM API 4.35: KVM_MEM_READONLY makes a new slot read-only",
    "virt/kvm/kvm_main.c: __kvm_set_memory_region (6.1, 6.12) for the errno",
  ],
  requires: ["KVM_CAP_READONLY_MEM"],
  mode: "protected",
  guest: asm`
    mov al, [0x100000]
    mov byte [0x100000], 0xa1
    out 0x10, al
    mov byte [0x100000], 0xb2
    mov ah, [0x100000]
    hlt
  `,
  drive({ vm, run, attempt }) {
    const memory = vm.memory.map(0x1000);
    memory.bytes[0] = 0x11;
    const slot = { slot: 1, guestAddress: 0x100000, size: 0x1000, memory, flags: READONLY };
    vm.memory.setSlot(slot);
    run();
    run();
    attempt(() => vm.memory.setSlot({ ...slot, guestAddress: gpa, flags }));
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000 flags=0x2
    mmio write 0x100000 u8 0xa1
    pio out 0x10 u8 0x11
    ${line}
    mmio write 0x100000 u8 0xb2
    hlt
    = rax 0x1111
  `,
}));
