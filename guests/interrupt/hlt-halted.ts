import { asm, defineCases, type DriveContext } from "../../mod.ts";
import { initializePics } from "./_pic.ts";

const HALTED = 3;

const events = {
  "irq-line": {
    wake: ({ vm }: DriveContext) => vm.irq.setLine(4, 1),
    action: "> irq-line 0x4 0x1",
    rbx: 0x24,
  },
  nmi: {
    wake: ({ vcpu }: DriveContext) => vcpu.nmi(),
    action: "> nmi",
    rbx: 0x2,
  },
};

/**
 * A vCPU that is halted stays so over a KVM_RUN that a kick ends, and runs on behind its HLT when an
 * interrupt comes.
 */
export default defineCases("interrupt/hlt-halted", events, ({ wake, action, rbx }) => ({
  spec: ["KVM API 4.38: KVM_GET_MP_STATE, KVM_MP_STATE_HALTED", "SDM 2A: HLT"],
  mode: "real",
  irqchip: "kernel",
  handlers: { 0x2: "nmi", 0x24: "irq4" },
  guest: asm`
    ${initializePics()}
    sti
    out 0x10, al                    ; the host halts the vCPU here
    halted:
    mov cx, bx
    out 0xf4, al
    irq4:
    mov bx, 0x24
    iret
    nmi:
    mov bx, 0x2
    iret
  `,
  drive(context) {
    const { run, vcpu, assertEquals } = context;
    run();
    // The OUT is completed first, as HLT would have been.
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    vcpu.setMpState(HALTED);
    vcpu.kick();
    run();
    assertEquals("state after the kick", vcpu.mpState(), HALTED);
    wake(context);
  },
  trace: ({ halted }) => `
    pio out 0x10 u8 0xff
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    > set-mp-state 0x3
    > kick
    intr
    ${action}
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rbx 0x${rbx.toString(16)}
    = rcx 0x${rbx.toString(16)}
    = rflags 0x202
    = mem 0x7ffa u16 [${halted} 0x0 0x202]
  `,
}));
