import { asm, defineCases } from "../../mod.ts";

const real = {
  mode: "real",
  iret: "iret",
  frame: (resumed: string, flags: string) => `= mem 0x7ffa u16 [${resumed} 0x0 ${flags}]`,
} as const;
const long = {
  mode: "long",
  iret: "iretq",
  frame: (resumed: string, flags: string) =>
    `= mem 0x7fd8 u64 [${resumed} 0x28 ${flags} 0x8000 0x30]`,
} as const;

const rows = {
  "real-if-clear": { ...real, interruptFlag: 0n, flags: "0x3" },
  "real-if-set": { ...real, interruptFlag: 0x200n, flags: "0x203" },
  "long-if-clear": { ...long, interruptFlag: 0n, flags: "0x3" },
  "long-if-set": { ...long, interruptFlag: 0x200n, flags: "0x203" },
};

/**
 * An NMI is delivered through vector 2 whatever IF is, once, and NMIs are blocked in its handler
 * until IRET.
 */
export default defineCases(
  "interrupt/nmi",
  rows,
  ({ mode, iret, frame, interruptFlag, flags }) => ({
    spec: [
      "KVM API 4.64: KVM_NMI",
      "KVM API 4.31: KVM_GET_VCPU_EVENTS, nmi.masked",
      "SDM 3A 6.7: nonmaskable interrupt",
    ],
    requires: ["KVM_CAP_USER_NMI"],
    mode,
    machine: { rflags: { set: 0x1n | interruptFlag } },
    handlers: { 2: "nmi" },
    guest: asm`
    out 0x10, al                    ; the host sends the NMI
    resumed:
    mov cx, bx
    out 0x12, al
    hlt
    nmi:
    inc bx
    out 0x11, al
    ${iret}
  `,
    drive({ run, vcpu, assertEquals }) {
      run();
      assertEquals("masked before", vcpu.events().nmi.masked, 0);
      vcpu.nmi();
      assertEquals("pending", vcpu.events().nmi.pending, 1);
      run();
      assertEquals("masked in the handler", vcpu.events().nmi.masked, 1);
      assertEquals("pending in the handler", vcpu.events().nmi.pending, 0);
      assertEquals("RFLAGS.IF in the handler", vcpu.regs().rflags & 0x200n, 0n);
      run();
      assertEquals("masked after IRET", vcpu.events().nmi.masked, 0);
    },
    trace: ({ resumed }) => `
    pio out 0x10 u8 0x0
    > nmi
    pio out 0x11 u8 0x0
    pio out 0x12 u8 0x0
    hlt
    = rbx 0x1
    = rcx 0x1
    ${frame(resumed, flags)}
  `,
  }),
);
