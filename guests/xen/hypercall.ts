import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../paravirt/_hypercall.ts";

const rows = {
  kernel: { privilege: 0, mode: "long" },
  user: { privilege: 3, mode: "long" },
  protected: { privilege: 0, mode: "protected" },
} as const;

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
    drive: ({ vm, run, assertEquals }) => {
      vm.xen.setConfig({ flags: 2, msr: 0x40000200 });
      const exit = run();
      if (exit.reason !== "xen-hypercall") return;
      const { longMode, cpl, input, params } = exit;
      assertEquals(
        "long mode, CPL, number and arguments",
        [longMode, cpl, input, params],
        mode === "long"
          ? [true, privilege, 40n, [
            0xd2n,
            0x51n,
            0xd1n,
            0x0a0a0a0a0a0a0a0an,
            0x0808080808080808n,
            0x0909090909090909n,
          ]]
          : [false, privilege, 40n, [0xb1n, 0xc1n, 0xd1n, 0x51n, 0xd2n, 0xb2n]],
      );
    },
    trace: `
    > xen-config flags=0x2
    unknown 0x22
    mmio write 0xd0000000 u8 0xb1
    = rax *
    ${mode === "long" ? "= rsi 0xd0000000" : ""}
    = mem 0xa000 u8 0x1
  `,
  }),
);
