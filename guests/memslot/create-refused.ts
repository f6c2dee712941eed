import { asm, defineCases, MEMORY_LOG_DIRTY_PAGES } from "../../mod.ts";
import { hex } from "./_hex.ts";

interface Refused {
  readonly gpa?: bigint;
  readonly size?: bigint;
  /** Host address; else the memory's own. */
  readonly host?: bigint;
  /** Bytes into the memory. */
  readonly offset?: number;
  readonly flags?: number;
}

const rows: Record<string, Refused> = {
  "gpa-plus-1": { gpa: 0x200001n },
  "gpa-half-page": { gpa: 0x200800n },
  "size-less-1": { size: 0xfffn },
  "size-plus-1": { size: 0x1001n },
  "size-half-page": { size: 0x1800n },
  "host-plus-1": { offset: 1 },
  "host-half-page": { offset: 0x800 },
  "host-in-kernel": { host: 0xffff_8880_0000_0000n },
  "host-wraps": { host: 0xffff_ffff_ffff_f000n, size: 0x2000n },
  // Zero deletes, and there is nothing to delete.
  "size-0": { size: 0n },
  "gpa-wraps": { gpa: 0xffff_ffff_ffff_f000n, size: 0x2000n },
  "gpa-ends-at-2-64": { gpa: 0xffff_ffff_ffff_f000n },
  // No x86 processor has more than 52 bits of physical address (SDM 3A 4.1.4).
  "gpa-53-bits": { gpa: 1n << 52n },
  "gpa-crosses-52-bits": { gpa: (1n << 52n) - 0x1000n, size: 0x2000n },
  // KVM_MEM_MAX_NR_PAGES is 2^31 - 1.
  "size-2-31-pages": { size: 1n << 43n },
  "size-high-half": { size: 1n << 63n },
  "flag-bit-2": { flags: 1 << 2 },
  "flag-bit-3": { flags: 1 << 3 },
  "flag-bit-15": { flags: 1 << 15 },
  "flag-bit-16": { flags: 1 << 16 },
  "flag-bit-17": { flags: 1 << 17 },
  "flag-bit-31": { flags: 0x80000000 },
  "flag-unknown-and-known": { flags: 1 << 4 | MEMORY_LOG_DIRTY_PAGES },
};

/** A slot that may not be is refused, and nothing is left of it: neither memory nor its number. */
export default defineCases("memslot/create-refused", rows, (row) => {
  const { gpa = 0x200000n, size = 0x1000n, flags = 0 } = row;
  return {
    spec: [
      "KVM API 4.35: KVM_SET_USER_MEMORY_REGION",
      "virt/kvm/kvm_main.c: __kvm_set_memory_region (6.1, 6.12), where the document names no errno",
    ],
    mode: "protected",
    guest: asm`
      mov eax, [0x100000]
      mov ebx, [0x101ffc]
      mov [0x101000], eax
      mov ecx, [0x200800]
      mov edx, [0x300000]
      hlt
    `,
    drive({ vm, attempt }) {
      const memory = vm.memory.map(0x2000);
      memory.view.setUint32(0, 0x44332211, true);
      memory.view.setUint32(0x1ffc, 0x88776655, true);
      vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x2000, memory });
      const other = vm.memory.map(0x4000);
      other.view.setUint32(0, 0xccbbaa99, true);
      attempt(() =>
        vm.memory.setSlot({
          slot: 2,
          guestAddress: gpa,
          size,
          memory: row.host ?? other,
          offset: row.offset,
          flags,
        })
      );
      vm.memory.setSlot({ slot: 2, guestAddress: 0x300000, size: 0x1000, memory: other });
    },
    trace: `
      > slot 0x1 gpa=0x100000 size=0x2000
      > slot 0x2 gpa=${hex(gpa)} size=${hex(size)} ${flags ? `flags=${hex(flags)}` : ""} -> EINVAL
      > slot 0x2 gpa=0x300000 size=0x1000
      mmio read 0x200800 u32 -> 0x12345678
      hlt
      = rax 0x44332211
      = rbx 0x88776655
      = rcx 0x12345678
      = rdx 0xccbbaa99
      = mem 0x101000 u32 0x44332211
    `,
  };
});
