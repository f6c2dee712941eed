import { ArgumentError, asm, defineCases, type MsrFilterRange } from "../../mod.ts";

/** KVM_MSR_FILTER_MAX_RANGES. */
const MOST = 16;
/** IA32_MTRR_PHYSBASE0, and the MSR behind IA32_MTRR_PHYSMASK7. */
const FIRST = 0x200;

const rows = { "as-many": MOST, "one-fewer": MOST - 1, "one-too-many": MOST + 1 };

/** A filter has up to 16 ranges, and each of them is looked at. */
export default defineCases("limits/msr-filter-ranges", rows, (count) => ({
  spec: ["KVM API 4.97: KVM_X86_SET_MSR_FILTER, KVM_MSR_FILTER_MAX_RANGES"],
  mode: "long",
  requires: ["KVM_CAP_X86_MSR_FILTER", { cpuid: "MTRR" }],
  handlers: { 13: "fault" },
  registers: { rcx: BigInt(FIRST) },
  guest: asm`
    next:
    rdmsr
    inc ecx
    cmp ecx, ${FIRST + MOST}
    jb next
    mov eax, 0
    mov edx, 0
    out 0xf4, al
    fault:
    inc ebx
    add qword [rsp + 8], 2
    add rsp, 8
    iretq
  `,
  drive({ vm, assertEquals, note }) {
    const ranges = Array.from({ length: count }, (_, index): MsrFilterRange => ({
      access: "read",
      base: FIRST + index,
      count: 1,
      allowed: Uint8Array.of(0),
    }));
    const { observer } = vm;
    vm.observer = undefined;
    let refused = false;
    try {
      vm.setMsrFilter({ ranges });
    } catch (error) {
      // The structure has no place for more: they are refused before KVM is asked.
      if (!(error instanceof ArgumentError)) throw error;
      refused = true;
    }
    vm.observer = observer;
    assertEquals("refused", refused, count > MOST);
    note("set");
  },
  trace: `
    > set
    pio out 0xf4 u8 0x0
    = rbx 0x${(count > MOST ? 0 : count).toString(16)}
    = rcx 0x${(FIRST + MOST).toString(16)}
    = rflags 0x46
    ${count > MOST ? "" : "= mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]"}
  `,
}));
