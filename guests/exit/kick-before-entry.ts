import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { real: "real", protected: "protected", long: "long" };

/** A signal before KVM_RUN ends it before the guest runs, once; the guest then runs as ever. */
export default defineCases("exit/kick-before-entry", modes, (mode) => ({
  spec: ["KVM API 4.10: KVM_RUN (EINTR)", "KVM API 4.21: KVM_SET_SIGNAL_MASK"],
  mode,
  machine: { rflags: { set: 0x8d5n } },
  guest: asm`
    mov byte [0xa000], 0x5a
    add al, 0x41
    out 0x10, al
    hlt
  `,
  drive: ({ run, read, vcpu, assertEquals }) => {
    const before = [vcpu.regs(), vcpu.sregs(), vcpu.events(), vcpu.mpState()];
    vcpu.kick();
    run();
    const after = [vcpu.regs(), vcpu.sregs(), vcpu.events(), vcpu.mpState()];
    assertEquals("state after the signal", after, before);
    assertEquals("memory after the signal", read(0xa000, 1), [0]);
    run();
    vcpu.kick();
    run();
  },
  trace: `
    > kick
    intr
    pio out 0x10 u8 0x41
    > kick
    intr
    hlt
    = rax 0x41
    = rflags 0x6
    = mem 0xa000 u8 0x5a
  `,
}));
