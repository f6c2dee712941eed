import { asm, defineCases, type DriveContext } from "../../mod.ts";

type Vcpu = DriveContext["vcpu"];

const ways = {
  sregs: {
    action: "set-sregs",
    inject: (vcpu: Vcpu) =>
      vcpu.setSregs({ ...vcpu.sregs(), interrupt_bitmap: [0n, 0n, 0n, 1n << 63n] }),
  },
  events: {
    action: "set-events",
    inject: (vcpu: Vcpu) =>
      vcpu.setEvents({
        ...vcpu.events(),
        interrupt: { injected: 1, nr: 0xff, soft: 0, shadow: 0 },
      }),
  },
};

/** An interrupt that a restored state says was acknowledged but not yet taken is delivered, once. */
export default defineCases("interrupt/inject-by-state", ways, ({ action, inject }) => ({
  spec: [
    "KVM API 4.14: KVM_SET_SREGS, interrupt_bitmap",
    "KVM API 4.32: KVM_SET_VCPU_EVENTS, interrupt",
  ],
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  handlers: { 0xff: "handler" },
  guest: asm`
    out 0x10, al
    resumed:
    mov bx, cx
    hlt
    handler:
    inc cx
    iret
  `,
  drive({ run, vcpu }) {
    run();
    // The OUT is completed first: a state is to be changed at an instruction's end only.
    vcpu.immediateExit = true;
    run();
    vcpu.immediateExit = false;
    inject(vcpu);
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    > ${action}
    hlt
    = rbx 0x1
    = rcx 0x1
    = mem 0x7ffa u16 [${resumed} 0x0 0x202]
  `,
}));
