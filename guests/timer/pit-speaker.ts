import { asm, defineCases } from "../../mod.ts";

const rows = {
  // Bits 0 and 1 are the gate of channel 2 and the speaker's data, and read as written.
  emulated: {
    flags: 1,
    trace: `
      pio out 0x10 u8 0x0
      pio out 0x10 u8 0x1
      pio out 0x10 u8 0x2
      pio out 0x10 u8 0x3
    `,
  },
  // Without the flag the port is user space's.
  "user-space": {
    flags: 0,
    trace: [0, 1, 2, 3].map((value) => `
      pio out 0x61 u8 0x${value}
      pio in 0x61 u8 -> 0xfc
      pio out 0x10 u8 0x0
    `).join("\n"),
  },
};

/** Port 0x61 belongs to the PIT where KVM_PIT_SPEAKER_DUMMY says so. */
export default defineCases("timer/pit-speaker", rows, ({ flags, trace }) => ({
  spec: "KVM API 4.71: KVM_CREATE_PIT2 (KVM_PIT_SPEAKER_DUMMY)",
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    ${
    [0, 1, 2, 3].map((value) => `
      mov al, ${value}
      out 0x61, al
      mov al, 0
      in al, 0x61
      and al, 3
      out 0x10, al
    `).join("\n")
  }
    xor eax, eax
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.irq.createPit(flags),
  trace: `
    > pit ${flags ? "flags=0x1" : ""}
    ${trace}
    pio out 0xf4 u8 0x0
    = rflags 0x46
  `,
}));
