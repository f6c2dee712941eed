import { asm, defineCases } from "../../mod.ts";

const numbers = { "256": 0x100, "512": 0x200, "0x80000020": 0x80000020, "-1": 0xffffffff };

/** A vector above 255 is refused, and nothing is delivered. */
export default defineCases("interrupt/inject-einval", numbers, (number) => ({
  spec: "KVM API 4.16: KVM_INTERRUPT, EINVAL",
  mode: "real",
  machine: { rflags: { set: 0x200n } },
  handlers: {},
  guest: asm`
    nop
    out 0x11, al
    hlt
  `,
  drive({ vcpu, attempt }) {
    attempt(() => vcpu.interrupt(number));
  },
  trace: `
    > interrupt 0x${number.toString(16)} -> EINVAL
    pio out 0x11 u8 0x0
    hlt
  `,
}));
