import { asm, defineCases } from "../../mod.ts";

const vectors = { "0x20": 0x20, "0x21": 0x21, "0x7f": 0x7f, "0xff": 0xff };

/**
 * In real mode KVM_INTERRUPT goes through the vector table: FLAGS, CS and IP are pushed, IF is
 * cleared and no other flag, and IRET takes the guest on where it was, once.
 */
export default defineCases("interrupt/inject-real", vectors, (vector) => ({
  spec: [
    "KVM API 4.16: KVM_INTERRUPT",
    "SDM 3B 21.1.4: interrupt and exception handling in real mode",
    "SDM 2A: IRET",
  ],
  mode: "real",
  machine: { rflags: { set: 0xed5n } },
  handlers: { [vector]: { at: 0x100, selector: 0x800 } },
  guest: asm`
    jmp 0x700:start - 0x7000
    start:
    out 0x10, al                    ; the host enqueues the interrupt
    resumed_ip equ $ - 0x7000
    mov cx, cs
    hlt
    align 256                       ; 0x8100: the handler, entered as 0x800:0x100
    pushf
    pop bx
    mov dx, cs
    iret
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.interrupt(vector);
  },
  trace: ({ resumed_ip }) => `
    pio out 0x10 u8 0x0
    > interrupt 0x${vector.toString(16)}
    hlt
    = cs.selector 0x700
    = cs.base 0x7000
    = rbx 0xcd7
    = rcx 0x700
    = rdx 0x800
    = mem 0x7ff8 u16 [0xcd7 ${resumed_ip} 0x700 0xed7]
  `,
}));
