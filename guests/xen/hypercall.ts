import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

const rows = {
  kernel: { privilege: 0, mode: "long" },
  user: { privilege: 3, mode: "long" },
  protected: { privilege: 0, mode: "protected" },
} as const;

/** RDI, RSI, RDX, R10, R8 and R9. */
const longArguments = "0xd2 0x51 0xd1 0xa0a0a0a0a0a0a0a 0x808080808080808 0x909090909090909";

/** A guest that takes KVM for Xen: its hypercalls come to the host with number and arguments. */
export default defineCases(
  "xen/hypercall",
  byEachCall(rows),
  ({ row: { privilege, mode }, call }) => ({
    spec: ["KVM API 4.28: KVM_XEN_HVM_CONFIG", "KVM API 5: KVM_EXIT_XEN"],
    mode,
    requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 2 }, call.requires],
    machine: { privilege },
    registers: {
      rax: 40n,
      rbx: 0xb1n,
      rcx: 0xc1n,
      rdx: 0xd1n,
      rsi: 0x51n,
      rdi: 0xd2n,
      rbp: 0xb2n,
    },
    guest: asm`
    ${call.instruction}
    mov byte [0xa000], 1
    ${mode === "long" ? "mov esi, 0xd0000000\nmov [rsi], bl" : "mov [0xd0000000], bl"}
  `,
    drive: ({ vm }) => vm.xen.setConfig({ flags: 2, msr: 0x40000200 }),
    // -ENOSYS, as Xen answers a hypercall that it does not have.
    trace: `
    > xen-config flags=0x2
    ${
      mode === "long"
        ? `xen-hypercall 0x28 [${longArguments}] long=0x1 cpl=0x${privilege} -> 0xffffffffffffffda`
        : "xen-hypercall 0x28 [0xb1 0xc1 0xd1 0x51 0xd2 0xb2] long=0x0 cpl=0x0 -> 0xffffffda"
    }
    mmio write 0xd0000000 u8 0xb1
    = rax ${mode === "long" ? "0xffffffffffffffda" : "0xffffffda"}
    ${mode === "long" ? "= rsi 0xd0000000" : ""}
    = mem 0xa000 u8 0x1
  `,
  }),
);
