import { asm, defineCases } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const loads = { "mov-ss": "mov ss, [0]", "lss": "lss sp, [0]" };

/**
 * An interrupt that comes while MOV SS runs is taken behind the next instruction; LSS, which loads
 * the stack pointer itself, protects none.
 */
export default defineCases("interrupt/shadow-mov-ss", loads, (load, name) => ({
  spec: ["SDM 3A 6.8.3: masking exceptions and interrupts when switching stacks", "SDM 2B: MOV"],
  mode: "real",
  irqchip: "kernel",
  registers: { rsp: 0x7000n },
  handlers: { 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    mov ax, 0x2000                  ; DS:0 is 0x20000, where no memory is
    mov ds, ax
    mov al, 0x11
    sti
    nop
    ${load}                         ; leaves the guest for its operand; the host asserts IRQ4
    loaded:
    out 0x10, al
    next:
    mov al, 0x22
    out 0xf4, al
    irq4:
    out 0x11, al
    iret
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(4, 1);
  },
  trace: ({ loaded, next }) => `
    ${
    name === "mov-ss"
      ? `mmio read 0x20000 u16 -> 0x1
         > irq-line 0x4 0x1
         pio out 0x10 u8 0x11
         pio out 0x11 u8 0x11`
      : `mmio read 0x20000 u32 -> 0x17000
         > irq-line 0x4 0x1
         pio out 0x11 u8 0x11
         pio out 0x10 u8 0x11`
  }
    pio out 0xf4 u8 0x22
    = rax 0x2022
    = rflags 0x202
    = ds.selector 0x2000
    = ds.base 0x20000
    = ss.selector 0x1
    = ss.base 0x10
    = mem 0x700a u16 [${name === "mov-ss" ? next : loaded} 0x0 0x202]
  `,
}));
