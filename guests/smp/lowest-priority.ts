import { asm, defineCases } from "../../mod.ts";

const rows = { even: 0x50, odd: 0x51 };

/** A lowest-priority IPI for two arrives at one of them, whichever that is. */
export default defineCases("smp/lowest-priority", rows, (vector) => ({
  spec: "SDM 3A 10.6.2.4: lowest priority delivery mode",
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xd0], 0x01000000
    wait:
    pause
    cmp byte [0xa000], 1
    jne wait
    mov dword [rsi + 0x310], 0x03000000
    mov dword [rsi + 0x300], ${0x4900 | vector}
    mov byte [0xa001], 1            ; sent
    other:
    pause
    cmp byte [0xa002], 1
    jne other
    mov eax, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    add eax, [0xa008]               ; both: the bit once
    out 0x10, eax
    vcpu1:
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xd0], 0x02000000
    mov byte [0xa000], 1
    sent:
    pause
    cmp byte [0xa001], 1
    jne sent
    mov eax, [rsi + 0x220]
    mov [0xa008], eax
    mov byte [0xa002], 1
    mov eax, 0
    out 0x11, al
  `,
  trace: `
    0: pio out 0x10 u32 0x${(1 << (vector & 31)).toString(16)}
    1: pio out 0x11 u8 0x0
    0: = rax 0x${(1 << (vector & 31)).toString(16)}
    0: = rflags *
    1: = rflags 0x46
    = mem 0xa000 u8 [0x1 0x1 0x1]
    = mem 0xa008 u32 *
  `,
}));
