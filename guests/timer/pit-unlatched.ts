import { asm, defineCases } from "../../mod.ts";

interface Row {
  /** 1: low byte, 2: high byte, 3: both. */
  access: 1 | 2 | 3;
  count: number;
  /** Values that are read at some time, in this order; of a low byte bits 7 to 4. */
  values: readonly number[];
}

const rows: Record<string, Row> = {
  "low-byte": { access: 1, count: 0x40, values: [3, 1, 0, 2] },
  "high-byte": { access: 2, count: 0x0300, values: [2, 1, 0, 2] },
  // The high byte follows the low one.
  "both-bytes": { access: 3, count: 0x0300, values: [2, 1, 0, 2] },
};

/** Without a latch command the count is read as it is, in the bytes of the access mode. */
export default defineCases("timer/pit-unlatched", rows, ({ access, count, values }) => ({
  spec: "Intel 8254: read operations (simple read); control word (RW1, RW0)",
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    mov al, 1
    out 0x61, al                    ; the gate of channel 2
    mov al, ${0x84 | access << 4}   ; mode 2
    out 0x43, al
    ${access & 1 ? `mov al, ${count & 0xff}\nout 0x42, al` : ""}
    ${access & 2 ? `mov al, ${count >> 8}\nout 0x42, al` : ""}
    ${
    values.map((value, number) => `
      wait_${number}:
      in al, 0x42
      ${access === 3 ? "in al, 0x42" : ""}
      cmp al, ${count >> (access === 1 ? 0 : 8)}
      ja above
      ${access === 1 ? "shr al, 4" : ""}
      cmp al, ${value}
      jne wait_${number}
      out 0x10, al
    `).join("\n")
  }
    above:
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.irq.createPit(1),
  trace: `
    > pit flags=0x1
    ${values.map((value) => `pio out 0x10 u8 0x${value.toString(16)}`).join("\n")}
    pio out 0xf4 u8 0x${values.at(-1)!.toString(16)}
    = rax 0x${values.at(-1)!.toString(16)}
    = rflags 0x46
  `,
}));
