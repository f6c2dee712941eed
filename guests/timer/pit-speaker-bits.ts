import { asm, defineCases } from "../../mod.ts";

const rows = {
  // Mode 0, as guests use it to measure time: low until the count is through, and high from then on.
  "output-low": { bit: 5, count: 0xffff, values: [0] },
  "output-high": { bit: 5, count: 2, values: [1, 1] },
  // The refresh request of memory toggles by itself.
  "refresh": { bit: 4, count: 2, values: [0, 1, 0, 1] },
} as const;

/** Bit 5 of port 0x61 is the output of channel 2, bit 4 the refresh request. */
export default defineCases("timer/pit-speaker-bits", rows, ({ bit, count, values }) => ({
  spec: [
    "KVM API 4.71: KVM_CREATE_PIT2 (KVM_PIT_SPEAKER_DUMMY)",
    "82371SB: NMI status and control register (bit 5: speaker output, bit 4: refresh cycle toggle)",
    "Intel 8254: mode 0",
  ],
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    mov al, 1
    out 0x61, al                    ; the gate of channel 2
    mov al, 0xb0
    out 0x43, al
    mov al, ${count & 0xff}
    out 0x42, al
    mov al, ${count >> 8}
    out 0x42, al
    ${
    values.map((value, number) => `
      mov ecx, 100000
      wait_${number}:
      in al, 0x61
      bt eax, ${bit}
      setc bl
      cmp bl, ${value}
      je done_${number}
      dec ecx
      jnz wait_${number}
      done_${number}:
      mov al, bl
      out 0x10, al
    `).join("\n")
  }
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.irq.createPit(1),
  trace: `
    > pit flags=0x1
    ${values.map((value) => `pio out 0x10 u8 0x${value}`).join("\n")}
    pio out 0xf4 u8 0x0
    = rflags 0x46
  `,
}));
