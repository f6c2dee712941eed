import { asm, defineCases, type ModeName } from "../../mod.ts";

const rows: Record<string, { mode: ModeName; interrupts: "cli" | "sti"; rflags: string }> = {
  "real-if-clear": { mode: "real", interrupts: "cli", rflags: "0x6" },
  "real-if-set": { mode: "real", interrupts: "sti", rflags: "0x206" },
  "protected-if-clear": { mode: "protected", interrupts: "cli", rflags: "0x6" },
  "protected-if-set": { mode: "protected", interrupts: "sti", rflags: "0x206" },
  "long-if-clear": { mode: "long", interrupts: "cli", rflags: "0x6" },
  "long-if-set": { mode: "long", interrupts: "sti", rflags: "0x206" },
};

/** A guest that is entered again after HLT goes on behind it, whatever IF says, once for each HLT. */
export default defineCases("exit/hlt-resume", rows, ({ mode, interrupts, rflags }) => ({
  spec: ["KVM API 5: KVM_EXIT_HLT", "KVM API 4.31: KVM_GET_VCPU_EVENTS", "SDM 2A: HLT"],
  mode,
  guest: asm`
    mov al, 0x10
    ${interrupts}
    hlt
    add al, 1
    out 0x11, al
    add al, 0x20
    hlt
    add al, 2
    out 0x12, al
    hlt
  `,
  // HLT is an instruction like any other to the interrupt shadow that STI casts: it ends it.
  drive: ({ run, vcpu, assertEquals }) => {
    assertEquals("exit", run().reason, "hlt");
    const { exception, interrupt, nmi } = vcpu.events();
    assertEquals("interrupt shadow at HLT", interrupt.shadow, 0);
    assertEquals(
      "waiting events at HLT",
      [exception.pending, exception.injected, interrupt.injected, nmi.pending, nmi.injected],
      [0, 0, 0, 0, 0],
    );
    assertEquals("AL at the first HLT", vcpu.regs().rax, 0x10n);
  },
  trace: `
    hlt
    pio out 0x11 u8 0x11
    hlt
    pio out 0x12 u8 0x33
    hlt
    = rax 0x33
    = rflags ${rflags}
  `,
}));
