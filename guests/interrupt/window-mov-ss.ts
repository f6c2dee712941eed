import { asm, defineCase } from "../../mod.ts";

/** After MOV SS the window stays shut until the next instruction is done, though IF is set. */
export default defineCase({
  id: "interrupt/window-mov-ss",
  spec: [
    "KVM API 5: request_interrupt_window",
    "SDM 3A 6.8.3: masking exceptions and interrupts when switching stacks",
  ],
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  registers: { rsp: 0x7000n },
  guest: asm`
    mov ax, 0x2000                  ; DS:0 is 0x20000, where no memory is
    mov ds, ax
    mov ss, [0]                     ; leaves the guest, so that the window is requested just here
    mov bx, 1
    mov bx, 2
    hlt
  `,
  drive({ run, vcpu, assertEquals }) {
    run();
    vcpu.requestInterruptWindow = true;
    run();
    assertEquals("BX in the window", vcpu.regs().rbx, 1n);
    vcpu.requestInterruptWindow = false;
  },
  trace: `
    mmio read 0x20000 u16 -> 0x1
    > request-irq-window 0x1
    irq-window
    > request-irq-window 0x0
    hlt
    = rax 0x2000
    = rbx 0x2
    = ds.selector 0x2000
    = ds.base 0x20000
    = ss.selector 0x1
    = ss.base 0x10
  `,
});
