import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** ICW1 that asks for no ICW4 undoes all that ICW4 and OCW2 have set, and ends with ICW3. */
export default defineCase({
  id: "interrupt/pic-reinitialize",
  spec: ["8259A: initialization command words, ICW1", "KVM API 4.26: KVM_GET_IRQCHIP"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    ${initializePics({ masterMask: 0xc3, icw4: 0x13 })}
    mov al, 0xc2                    ; OCW2: IRQ2 is the lowest
    out 0x20, al
    mov al, 0x0b                    ; OCW3: read the ISR
    out 0x20, al
    mov al, 0x10                    ; ICW1: no ICW4 follows
    out 0x20, al
    mov al, 0x68                    ; ICW2
    out 0x21, al
    mov al, 0x04                    ; ICW3
    out 0x21, al
    mov al, 0x5a                    ; OCW1 already
    out 0x21, al
    in al, 0x21
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    run();
    const [, , imr, , priorityAdd, irqBase, readIsr, , , initState, autoEoi, , nested, init4] = vm
      .irq.chipState("pic-master");
    assertEquals(
      "master",
      { imr, priorityAdd, irqBase, readIsr, initState, autoEoi, nested, init4 },
      {
        imr: 0x5a,
        priorityAdd: 0,
        irqBase: 0x68,
        readIsr: 0,
        initState: 0,
        autoEoi: 0,
        nested: 0,
        init4: 0,
      },
    );
  },
  trace: `
    pio out 0xf4 u8 0x5a
    = rax 0x5a
  `,
});
