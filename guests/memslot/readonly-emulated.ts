import { asm, defineCases, MEMORY_READONLY } from "../../mod.ts";
import { ways } from "../_ways.ts";

interface Row {
  instruction: string;
  exit: string;
  /** What else changes. */
  state?: string;
}

// EAX is 0x11223344, EBX the address, which has 0x7fffffff, ECX 0x44332211.
const rows: Record<string, Row> = {
  mov: { instruction: "mov [ebx], ecx", exit: "mmio write 0x100010 u32 0x44332211" },
  "mov-byte": { instruction: "mov [ebx], cl", exit: "mmio write 0x100010 u8 0x11" },
  "mov-word": { instruction: "mov [ebx], cx", exit: "mmio write 0x100010 u16 0x2211" },
  not: { instruction: "not dword [ebx]", exit: "mmio write 0x100010 u32 0x80000000" },
  "locked-not-byte": {
    instruction: "lock not byte [ebx]",
    exit: "mmio write 0x100010 u8 0x0",
  },
  "locked-not": { instruction: "lock not dword [ebx]", exit: "mmio write 0x100010 u32 0x80000000" },
  exchange: {
    instruction: "xchg [ebx], ecx",
    exit: "mmio write 0x100010 u32 0x44332211",
    state: "= rcx 0x7fffffff",
  },
  // Its destination gets a write cycle whatever the result of the comparison (SDM 2A: CMPXCHG).
  "cmpxchg-unequal": {
    instruction: "lock cmpxchg [ebx], ecx",
    exit: "mmio write 0x100010 u32 0x7fffffff",
    state: "= rax 0x7fffffff\n= rflags *",
  },
  "cmpxchg8b-unequal": {
    instruction: "lock cmpxchg8b [ebx]",
    exit: "mmio write 0x100010 u64 0x7fffffff",
    state: "= rax 0x7fffffff\n= rdx 0x0\n= rflags *",
  },
  "bit-set": {
    instruction: "lock bts dword [ebx], 31",
    exit: "mmio write 0x100010 u32 0xffffffff",
    state: "= rflags *",
  },
};

/** What KVM's instruction emulator writes to a read-only slot is an MMIO exit, once. */
export default defineCases("memslot/readonly-emulated", rows, ({ instruction, exit, state }) => ({
  spec: ["KVM API 4.35: writes to a KVM_MEM_READONLY slot are posted as KVM_EXIT_MMIO"],
  requires: ["KVM_CAP_READONLY_MEM", ...ways["-forced"].requires],
  mode: "protected",
  registers: { rax: 0x11223344n, rbx: 0x100010n, rcx: 0x44332211n },
  guest: asm`
    ${ways["-forced"].prefix}
    ${instruction}
    mov esi, [ebx]
    mov edi, [ebx + 4]
    hlt
  `,
  drive({ vm }) {
    const memory = vm.memory.map(0x1000);
    memory.view.setUint32(0x10, 0x7fffffff, true);
    const flags = MEMORY_READONLY;
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x1000, memory, flags });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x1000 flags=0x2
    ${exit}
    hlt
    ${state ?? ""}
    = rsi 0x7fffffff
  `,
}));
