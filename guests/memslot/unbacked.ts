import { asm, defineCases } from "../../mod.ts";

const rows = {
  "read": {
    guest: asm`
      inc byte [0xa000]
      mov eax, [0x101000]
      hlt
    `,
    trace: `
      = rax 0x44332211
    `,
  },
  "write": {
    guest: asm`
      inc byte [0xa000]
      mov byte [0x101fff], 0xa1
      hlt
    `,
    trace: `
      = mem 0x101fff u8 0xa1
    `,
  },
  "read-modify-write": {
    guest: asm`
      inc byte [0xa000]
      add dword [0x101000], 0x11111111
      hlt
    `,
    trace: `
      = rflags 0x6
      = mem 0x101000 u32 0x55443322
    `,
  },
  "fetch": {
    guest: asm`
      inc byte [0xa000]
      jmp 0x101800
    `,
    trace: `
      = rax 0x5a
    `,
  },
};

/** A guest that touches a slot without memory behind it gets EFAULT, and goes on where it stands once there is memory. */
export default defineCases("memslot/unbacked", rows, ({ guest, trace }) => ({
  spec: [
    "KVM API 7.34: KVM_CAP_MEMORY_FAULT_INFO, a valid memslot but no backing VMA",
    "arch/x86/kvm/mmu/mmu.c: kvm_handle_error_pfn gives EFAULT (6.1, 6.12)",
  ],
  mode: "protected",
  guest,
  drive({ vm, run, attempt }) {
    const slot = { slot: 1, guestAddress: 0x101000, size: 0x1000 };
    // Nothing of a process lies at its address 0x1000: it is below what mmap(2) gives.
    vm.memory.setSlot({ ...slot, memory: 0x1000n });
    attempt(run);
    const memory = vm.memory.map(0x1000);
    memory.view.setUint32(0, 0x44332211, true);
    // MOV AL, 0x5A; HLT
    memory.bytes.set([0xb0, 0x5a, 0xf4], 0x800);
    vm.memory.setSlot({ ...slot, size: 0 });
    vm.memory.setSlot({ ...slot, memory });
  },
  // A kernel that fills in kvm_run.memory_fault tells of it that way.
  trace: `
    > slot 0x1 gpa=0x101000 size=0x1000
    > run -> EFAULT | memory-fault flags=* gpa=0x101000 size=0x1000
    > slot 0x1 gpa=0x101000 size=0x0
    > slot 0x1 gpa=0x101000 size=0x1000
    hlt
    = mem 0xa000 u8 0x1
    ${trace}
  `,
}));
