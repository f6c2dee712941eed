import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, { mode: ModeName; iret: string; frame: (halted: string) => string }> = {
  real: {
    mode: "real",
    iret: "iret",
    frame: (halted) => `= mem 0x7ffa u16 [${halted} 0x0 0x202]`,
  },
  long: {
    mode: "long",
    iret: "iretq",
    frame: (halted) => `= mem 0x7fd8 u64 [${halted} 0x28 0x202 0x8000 0x30]`,
  },
};

/** An interrupt that the host gives a halted guest is taken behind the HLT, which is not repeated. */
export default defineCases("interrupt/hlt-wake", modes, ({ mode, iret, frame }) => ({
  spec: ["KVM API 5: KVM_EXIT_HLT", "KVM API 4.16: KVM_INTERRUPT", "SDM 2A: HLT"],
  mode,
  machine: { rflags: { set: 0x200n } },
  handlers: { 0x20: "handler" },
  guest: asm`
    mov bx, 1
    hlt
    halted:
    mov bx, 2
    out 0x10, al
    hlt
    handler:
    mov cx, bx
    ${iret}
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.interrupt(0x20);
  },
  trace: ({ halted }) => `
    hlt
    > interrupt 0x20
    pio out 0x10 u8 0x0
    hlt
    = rbx 0x2
    = rcx 0x1
    ${frame(halted)}
  `,
}));
