import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** Of an NMI and an interrupt that wait together the NMI comes first. */
export default defineCase({
  id: "interrupt/nmi-before-interrupt",
  spec: [
    "SDM 3A 6.9: priority among simultaneous exceptions and interrupts",
    "KVM API 4.64: KVM_NMI",
  ],
  requires: ["KVM_CAP_USER_NMI"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 2: "nmi", 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    sti
    out 0x10, al                    ; the host asserts IRQ4 and sends an NMI
    resumed:
    mov cx, 1200
    again:
    loop again
    out 0xf4, al
    irq4:
    out 0x11, al
    iret
    nmi:
    out 0x12, al
    iret
  `,
  drive({ run, vm, vcpu }) {
    run();
    vm.irq.setLine(4, 1);
    vcpu.nmi();
  },
  trace: `
    pio out 0x10 u8 0xff
    > irq-line 0x4 0x1
    > nmi
    pio out 0x12 u8 0xff
    pio out 0x11 u8 0xff
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rflags 0x202
    = mem 0x7ffa u16 [* 0x0 0x202]
  `,
});
