import { asm, defineCases } from "../../mod.ts";

const channels = { "channel-0": 0, "channel-1": 1, "channel-2": 2 };

/** Every mode, access (low byte, high byte, both) and BCD bit that a control word can ask for. */
const words = [1, 2, 3].flatMap((access) =>
  [0, 1, 2, 3, 4, 5].flatMap((mode) => [0, 1].map((bcd) => access << 4 | mode << 1 | bcd))
);

/** The read-back command gives the mode of the channel that the last control word set, and no other. */
export default defineCases("timer/pit-status", channels, (channel) => ({
  spec: ["KVM API 4.71: KVM_CREATE_PIT2", "Intel 8254: control word, read-back command"],
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  registers: { rdi: 0xa000n, rsi: 0xb000n },
  guest: asm`
    mov ecx, ${words.length}
    next:
    lodsb
    out 0x43, al
    mov al, ${0xe0 | 2 << channel}  ; read back: status of the channel, no count
    out 0x43, al
    in al, ${0x40 + channel}
    and al, 0x3f                    ; without OUT and NULL COUNT, which time changes
    stosb
    dec ecx
    jnz next
    mov al, 0
    out 0xf4, al
  `,
  drive: ({ vm, write }) => {
    write(0xb000, Uint8Array.from(words, (word) => channel << 6 | word));
    vm.irq.createPit();
  },
  trace: `
    > pit
    pio out 0xf4 u8 0x0
    = rdi 0x${(0xa000 + words.length).toString(16)}
    = rsi 0x${(0xb000 + words.length).toString(16)}
    = rflags 0x46
    = mem 0xa000 u8 [${words.map((word) => `0x${word.toString(16)}`).join(" ")}]
  `,
}));
