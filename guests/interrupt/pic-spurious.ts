import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const rows = {
  // The slave's line is gone when the slave is acknowledged: its IR7, which is not in service.
  slave: { irq: 10, bit: 0x04, vector: 0x2f, service: [0x04, 0x00] },
  // The master is asked as long as the slave's line is asserted.
  "slave-stays": { irq: 10, bit: 0x04, vector: 0x2a, service: [0x04, 0x04] },
} as const;

/** A level that goes between the request and its acknowledgement gives the spurious vector, IR7's. */
export default defineCases("interrupt/pic-spurious", rows, ({ irq, bit, vector, service }) => ({
  spec: [
    "8259A: interrupt sequence (no request at the acknowledgement: an interrupt level 7)",
    "8259A: cascade mode",
    "KVM API 4.25: KVM_IRQ_LINE",
  ],
  mode: "real",
  irqchip: "kernel",
  handlers: { [vector]: "handler" },
  guest: asm`
    ${initializePics({ slaveMask: 0 })}
    mov al, ${bit}                  ; the line is level-triggered
    mov dx, 0x4d1
    out dx, al
    mov al, 0x0b                    ; OCW3: read the ISR
    out 0x20, al
    out 0xa0, al
    out 0x10, al                    ; the host asserts the line
    push word 0x202
    popf                            ; no shadow
    taken:
    jmp taken
    handler:
    in al, 0x20
    mov bl, al
    in al, 0xa0
    mov bh, al
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(irq, 1);
    if (vector === 0x2f) vm.irq.setLine(irq, 0);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xb
    > irq-line 0x${irq.toString(16)} 0x1
    ${vector === 0x2f ? `> irq-line 0x${irq.toString(16)} 0x0` : ""}
    pio out 0xf4 u8 0x${service[1].toString(16)}
    = rax 0x${service[1].toString(16)}
    = rbx 0x${(service[1] << 8 | service[0]).toString(16)}
    = rdx 0x4d1
    = rsp 0x7ffa
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
}));
