import { asm, defineCases } from "../../mod.ts";

// Both say the same. In the second the guest runs for a while behind the IRET, so that it does not
// matter how soon the NMI that waits is taken.
const rows = {
  "at-iret": { loop: "", taken: (resumed: string) => resumed },
  "after-iret": { loop: "mov cx, 1200\nagain: loop again", taken: () => "*" },
};

/** NMIs that come in an NMI's handler are one, and it is taken behind the handler's IRET. */
export default defineCases("interrupt/nmi-blocking", rows, ({ loop, taken }) => ({
  spec: [
    "KVM API 4.64: KVM_NMI",
    "SDM 3A 6.7.1: handling multiple NMIs",
  ],
  requires: ["KVM_CAP_USER_NMI"],
  mode: "real",
  handlers: { 2: "nmi" },
  guest: asm`
    out 0x10, al                    ; the host sends an NMI
    resumed:
    ${loop}
    out 0x12, al
    hlt
    nmi:
    inc bx
    mov al, bl
    out 0x11, al                    ; the host sends three more
    nop
    out 0x13, al                    ; none of them is taken here
    iret
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.nmi();
    run();
    vcpu.nmi();
    vcpu.nmi();
    vcpu.nmi();
  },
  trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > nmi
    pio out 0x11 u8 0x1
    > nmi
    > nmi
    > nmi
    pio out 0x13 u8 0x1
    pio out 0x11 u8 0x2
    pio out 0x13 u8 0x2
    pio out 0x12 u8 0x2
    hlt
    = rax 0x2
    = rbx 0x2
    = mem 0x7ffa u16 [${taken(resumed)} 0x0 0x2]
  `,
}));
