import { asm, defineCase } from "../../mod.ts";

/**
 * With the local APIC in the kernel alone KVM_INTERRUPT enqueues one interrupt, refuses a second,
 * and holds it while IF is clear; it is taken behind the instruction that follows STI.
 */
export default defineCase({
  id: "interrupt/split-enqueue",
  spec: [
    "KVM API 4.16: KVM_INTERRUPT, EEXIST",
    "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP",
    "SDM 2B: STI",
  ],
  mode: "real",
  irqchip: "split",
  withoutLens: {
    restore:
      "KVM does not tell of a vector that KVM_INTERRUPT left with a split interrupt controller",
  },
  handlers: { 0x20: "first", 0x21: "second", 0x22: "third" },
  guest: asm`
    out 0x10, al
    nop
    out 0x11, al                    ; not taken yet
    mov al, 1
    sti
    out 0x12, al                    ; taken behind it
    mov al, 2
    out 0x13, al                    ; the host enqueues another one, taken behind it
    taken:
    out 0xf4, al
    first:
    out 0x60, al
    iret
    second:
    out 0x61, al
    iret
    third:
    out 0x62, al
    iret
  `,
  drive({ run, vcpu, attempt, assertEquals }) {
    vcpu.interrupt(0x20);
    attempt(() => vcpu.interrupt(0x21));
    run();
    attempt(() => vcpu.interrupt(0x20));
    assertEquals("injected while IF is clear", vcpu.events().interrupt.injected, 0);
    run();
    run();
    run();
    run();
    // The first one is taken: there is room again.
    vcpu.interrupt(0x22);
    attempt(() => vcpu.interrupt(0x21));
  },
  trace: ({ taken }) => `
    > interrupt 0x20
    > interrupt 0x21 -> EEXIST
    pio out 0x10 u8 0x0
    > interrupt 0x20 -> EEXIST
    pio out 0x11 u8 0x0
    pio out 0x12 u8 0x1
    pio out 0x60 u8 0x1
    pio out 0x13 u8 0x2
    > interrupt 0x22
    > interrupt 0x21 -> EEXIST
    pio out 0x62 u8 0x2
    pio out 0xf4 u8 0x2
    = rax 0x2
    = rflags 0x202
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
