import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const followers = {
  "mov": { instruction: "mov bx, 1", rbx: 0x1, stack: "" },
  "push": { instruction: "push 0x1234", rbx: 0x0, stack: "0x1234" },
};

/** An interrupt that waits is taken behind the instruction that follows STI, not before it. */
export default defineCases("interrupt/shadow-sti", followers, ({ instruction, rbx, stack }) => ({
  spec: ["SDM 2B: STI", "KVM API 4.25: KVM_IRQ_LINE"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    out 0x10, al                    ; the host asserts IRQ4
    sti
    ${instruction}
    taken:
    mov cl, 2
    out 0xf4, al
    irq4:
    mov dx, bx
    mov ch, cl
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(4, 1);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xff
    > irq-line 0x4 0x1
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rbx 0x${rbx.toString(16)}
    = rcx 0x2
    = rdx 0x${rbx.toString(16)}
    = rflags 0x202
    ${stack === "" ? "" : "= rsp 0x7ffe"}
    = mem 0x${stack === "" ? "7ffa" : "7ff8"} u16 [${taken} 0x0 0x202 ${stack}]
  `,
}));
