import { asm, defineCases } from "../../mod.ts";

/** KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES. */
const HAS_INSTRUCTION_BYTES = 1n;

/**
 * With KVM_CAP_EXIT_ON_EMULATION_FAILURE an instruction that KVM cannot emulate comes to the host at
 * any CPL, with its bytes, and the host may do its work and let the guest go on.
 */
export default defineCases(
  "exit/exit-on-emulation-failure",
  {
    supervisor: { privilege: 0 },
    user: { privilege: 3 },
  } as const,
  ({ privilege }) => ({
    spec: "KVM API 7.27: KVM_CAP_EXIT_ON_EMULATION_FAILURE",
    mode: "long",
    requires: ["KVM_CAP_EXIT_ON_EMULATION_FAILURE"],
    machine: { privilege, rflags: { set: 0x8d5n } },
    registers: { rdi: 0xd0000010n },
    guest: asm`
    unknown:
    lar eax, [rdi]
    behind:
    mov [rdi], al
    add al, 1
    mov [rdi], al
  `,
    drive: ({ vm, vcpu, run, labels, assertEquals }) => {
      vm.enableCapability("KVM_CAP_EXIT_ON_EMULATION_FAILURE", 1);
      const exit = run();
      if (exit.reason !== "internal-error") return;
      const [flags, first] = exit.data;
      assertEquals("flags", flags & HAS_INSTRUCTION_BYTES, HAS_INSTRUCTION_BYTES);
      const size = first & 0xffn;
      assertEquals(
        "at least the instruction's 3 bytes, at most 15",
        size >= 3n && size <= 15n,
        true,
      );
      assertEquals("instruction bytes (LAR EAX, [RDI])", first >> 8n & 0xffffffn, 0x07020fn);
      const { exception } = vcpu.events();
      assertEquals("exception that waits", [exception.pending, exception.injected], [0, 0]);
      const registers = vcpu.regs();
      assertEquals("RIP", registers.rip, labels.get("unknown"));
      vcpu.setRegs({ ...registers, rax: 0x77n, rip: labels.get("behind")! });
    },
    trace: `
    > enable exit-on-emulation-failure 0x1
    internal-error emulation
    > set-regs
    mmio write 0xd0000010 u8 0x77
    mmio write 0xd0000010 u8 0x78
    = rax 0x78
    = rflags 0x6
  `,
  }),
);
