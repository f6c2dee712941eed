import { asm, defineCases } from "../../mod.ts";

interface Row {
  channel: 0 | 2;
  mode: number;
  /** Initial count. */
  count: number;
  /** Least bits of a count that never differ from the initial one's. */
  even?: true;
}

const rows: Record<string, Row> = {
  "mode-0": { channel: 2, mode: 0, count: 0xfffe },
  "mode-1": { channel: 2, mode: 1, count: 0xfffe },
  "mode-2": { channel: 2, mode: 2, count: 0xfffe },
  // Clock by clock it goes down by two.
  "mode-3": { channel: 2, mode: 3, count: 0xfffe, even: true },
  "mode-4": { channel: 2, mode: 4, count: 0xfffe },
  "mode-5": { channel: 2, mode: 5, count: 0xfffe },
  "channel-0-mode-0": { channel: 0, mode: 0, count: 0xfffe },
  "channel-0-mode-2": { channel: 0, mode: 2, count: 0xfffe },
  "channel-0-mode-3": { channel: 0, mode: 3, count: 0xfffe, even: true },
};

/**
 * A count goes down: most times that a latched count differs from the one before it is by less than
 * half of the range below it. A guest that is kept from running sees it go round now and then.
 */
export default defineCases("timer/pit-down", rows, ({ channel, mode, count, even }) => ({
  spec: "Intel 8254: counter latch command; modes 0 to 5 (the count is decremented)",
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    mov al, 1
    out 0x61, al                    ; the gate of channel 2 rises: it starts modes 1 and 5
    mov al, ${channel << 6 | 0x30 | mode << 1}
    out 0x43, al
    mov al, ${count & 0xff}
    out ${0x40 + channel}, al
    mov al, ${count >> 8}
    out ${0x40 + channel}, al
    mov al, 0
    out 0x61, al
    mov al, 1
    out 0x61, al
    mov ecx, 15                     ; changes
    call latched
    mov esi, edx
    next:
    call latched
    cmp edx, esi
    je next
    sub si, dx                      ; how much less, of 16 bits
    shl si, 1
    adc ebx, 0                      ; or more
    mov esi, edx
    dec ecx
    jnz next
    cmp ebx, 8
    setae bl
    movzx ebx, bl
    shl edi, 1
    or ebx, edi
    xor eax, eax
    xor edx, edx
    xor esi, esi
    xor edi, edi
    out 0xf4, al
    latched:
    mov al, ${channel << 6}
    out 0x43, al
    xor edx, edx
    in al, ${0x40 + channel}
    mov dl, al
    in al, ${0x40 + channel}
    mov dh, al
    ${even ? "mov eax, edx\nand eax, 1\nor edi, eax" : ""}
    ret
  `,
  drive: ({ vm }) => vm.irq.createPit(1),
  trace: `
    > pit flags=0x1
    pio out 0xf4 u8 0x0
    = rflags 0x46
    = mem 0x7ff8 u64 *
  `,
}));
