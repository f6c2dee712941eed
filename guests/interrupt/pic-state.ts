import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** KVM_GET_IRQCHIP tells what the guest programmed into the PICs and what waits and is in service. */
export default defineCase({
  id: "interrupt/pic-state",
  spec: ["KVM API 4.26: KVM_GET_IRQCHIP, struct kvm_pic_state", "8259A: programming"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x2a: "irq10" },
  guest: asm`
    ${initializePics({ masterMask: 0x21, slaveMask: 0x12, icw4: 0x11 })}
    mov al, 0x28                    ; IRQ3 and IRQ5 are level-triggered, and IRQ15
    mov dx, 0x4d0
    out dx, al
    mov al, 0x80
    mov dx, 0x4d1
    out dx, al
    mov al, 0xc4                    ; OCW2 of the master: IRQ4 is the lowest
    out 0x20, al
    mov al, 0x0b                    ; OCW3 of the slave: read the ISR
    out 0xa0, al
    sti
    out 0x10, al                    ; the host asserts IRQ10, taken behind it
    taken:
    cli
    out 0x11, al                    ; the host asserts IRQ4 and IRQ15
    out 0xf4, al
    irq10:
    iret
  `,
  drive({ run, vm, assertEquals }) {
    run();
    vm.irq.setLine(10, 1);
    run();
    vm.irq.setLine(4, 1);
    vm.irq.setLine(15, 1);
    const member = (chip: "pic-master" | "pic-slave") => {
      const [lastIrr, irr, imr, isr, priorityAdd, irqBase, readIsr, poll] = vm.irq.chipState(chip);
      return { lastIrr, irr, imr, isr, priorityAdd, irqBase, readIsr, poll };
    };
    const rest = (chip: "pic-master" | "pic-slave") => {
      const [specialMask, initState, autoEoi, rotate, nested, init4, elcr, elcrMask] = vm.irq
        .chipState(chip).subarray(8);
      return { specialMask, initState, autoEoi, rotate, nested, init4, elcr, elcrMask };
    };
    assertEquals("master", member("pic-master"), {
      lastIrr: 0x10,
      irr: 0x10,
      imr: 0x21,
      isr: 0x04,
      priorityAdd: 5,
      irqBase: 0x20,
      readIsr: 0,
      poll: 0,
    });
    assertEquals("slave", member("pic-slave"), {
      lastIrr: 0x84,
      irr: 0x80,
      imr: 0x12,
      isr: 0x04,
      priorityAdd: 0,
      irqBase: 0x28,
      readIsr: 1,
      poll: 0,
    });
    const common = { specialMask: 0, initState: 0, autoEoi: 0, rotate: 0, nested: 1, init4: 1 };
    assertEquals("rest of the master", rest("pic-master"), {
      ...common,
      elcr: 0x28,
      elcrMask: 0xf8,
    });
    assertEquals("rest of the slave", rest("pic-slave"), { ...common, elcr: 0x80, elcrMask: 0xde });
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xb
    > irq-line 0xa 0x1
    pio out 0x11 u8 0xb
    > irq-line 0x4 0x1
    > irq-line 0xf 0x1
    pio out 0xf4 u8 0xb
    = rax 0xb
    = rdx 0x4d1
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
