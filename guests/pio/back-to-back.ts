import { asm, defineCase } from "../../mod.ts";

const sent = Array.from({ length: 200 }, (_, index) => index * 7 + 1 & 0xff);
const got = Array.from({ length: 200 }, (_, index) => index * 11 + 5 & 0xff);
const sum = got.reduce((total, value) => total + value, 0);

/** Of many accesses to one port none is lost, repeated or merged with its neighbour. */
export default defineCase({
  id: "pio/back-to-back",
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.6: ordering I/O"],
  mode: "protected",
  registers: { rbx: 1n, rcx: 200n },
  guest: asm`
    again:
    mov al, bl
    out 0x10, al
    in al, 0x11
    movzx eax, al
    lea esi, [esi + eax]
    lea ebx, [ebx + 7]
    loop again
    hlt
  `,
  trace: `
    ${
    sent.map((value, index) =>
      `pio out 0x10 u8 0x${value.toString(16)}\npio in 0x11 u8 -> 0x${got[index].toString(16)}`
    ).join("\n")
  }
    hlt
    = rax 0x${got[199].toString(16)}
    = rbx 0x${(1 + 200 * 7).toString(16)}
    = rcx 0x0
    = rsi 0x${sum.toString(16)}
  `,
});
