import { asm, defineCases } from "../../mod.ts";

/** KVM_X86_QUIRK_OUT_7E_INC_RIP. */
const QUIRK = 8;

const rows = {
  "default": { disabled: 0, port: 0x7e, behind: true },
  "disabled": { disabled: QUIRK, port: 0x7e, behind: false },
};

/** At the exit of OUT to port 0x7e RIP is behind the instruction already, unless the host objects. */
export default defineCases("quirk/port-7e", rows, ({ disabled, port, behind }) => ({
  spec: "KVM API 7.32: KVM_CAP_DISABLE_QUIRKS2 (KVM_X86_QUIRK_OUT_7E_INC_RIP)",
  mode: "long",
  requires: [{ capability: "KVM_CAP_DISABLE_QUIRKS2", atLeast: QUIRK }],
  // There is an exit more, where the host asks for the registers.
  withoutLens: { restore: "the registers are those behind the instruction then" },
  guest: asm`
    mov al, 0x41
    here:
    out ${port}, al
    there:
    inc ebx
    out 0x10, al
  `,
  drive: ({ vm, vcpu, run, labels, assertEquals }) => {
    if (disabled !== 0) vm.enableCapability("KVM_CAP_DISABLE_QUIRKS2", disabled);
    run();
    const rip = BigInt(labels.get(behind ? "there" : "here")!);
    assertEquals("RIP at the exit", vcpu.regs().rip, rip);
  },
  trace: `
    ${disabled === 0 ? "" : `> enable disable-quirks2 0x${disabled}`}
    pio out 0x7e u8 0x41
    pio out 0x10 u8 0x41
    = rax 0x41
    = rbx 0x1
    = rflags 0x2
  `,
}));
