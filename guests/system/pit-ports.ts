import { asm, defineCases, type Vm } from "../../mod.ts";

const rows: Record<string, { create: (vm: Vm) => void; speaker: boolean }> = {
  // KVM_CREATE_PIT has the speaker's port, KVM_CREATE_PIT2 where the flag asks for it.
  "pit": { create: (vm) => vm.irq.createPit1(), speaker: true },
  "pit2-speaker": { create: (vm) => vm.irq.createPit(1), speaker: true },
  "pit2": { create: (vm) => vm.irq.createPit(), speaker: false },
};

/** The ports of an in-kernel PIT do not exit; port 0x61 does unless the PIT was made with it. */
export default defineCases("system/pit-ports", rows, ({ create, speaker }) => ({
  spec: ["KVM API 4.71: KVM_CREATE_PIT2, KVM_PIT_SPEAKER_DUMMY", "KVM_CAP_PIT: KVM_CREATE_PIT"],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_PIT2"],
  prepare: create,
  guest: asm`
    mov al, 0x34
    out 0x43, al
    out 0x40, al
    out 0x40, al
    mov al, 0
    out 0x61, al
    in al, 0x44
    out 0xf4, al
  `,
  trace: `
    ${speaker ? "" : "pio out 0x61 u8 0x0"}
    pio in 0x44 u8 -> 0x55
    pio out 0xf4 u8 0x55
    = rax 0x55
  `,
}));
