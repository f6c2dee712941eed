import { asm, defineCase } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

/** An interrupt does not wake a halted vCPU whose IF is clear; an NMI does, and then it waits on. */
export default defineCase({
  id: "interrupt/hlt-masked",
  spec: ["SDM 2A: HLT", "KVM API 4.38: KVM_GET_MP_STATE, KVM_MP_STATE_HALTED"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x2: "nmi", 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    out 0x10, al                    ; the host halts the vCPU here
    halted:
    mov cx, bx
    sti
    out 0x11, al
    taken:
    out 0xf4, al
    nmi:
    inc bl
    iret
    irq4:
    inc bh
    iret
  `,
  drive({ run, vcpu, vm, assertEquals }) {
    run();
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    vcpu.setMpState(3);
    vm.irq.setLine(4, 1);
    vcpu.kick();
    run();
    assertEquals("state after the interrupt", vcpu.mpState(), 3);
    vcpu.nmi();
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0xff
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    > set-mp-state 0x3
    > irq-line 0x4 0x1
    > kick
    intr
    > nmi
    pio out 0x11 u8 0xff
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rbx 0x101
    = rcx 0x1
    = rflags 0x202
    = mem 0x7ffa u16 [${taken} 0x0 0x202]
  `,
});
