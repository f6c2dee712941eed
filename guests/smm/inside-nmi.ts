import { asm, defineCase } from "../../mod.ts";
import { comeToHlt, complete, completed, prepared, requires, savedAnything } from "./_smram.ts";

/** RSM to an NMI's handler leaves NMIs masked, as they were: one that comes then waits for its IRET. */
export default defineCase({
  id: "smm/inside-nmi",
  spec: [
    "APM 2 10.3.3: exceptions and interrupts in SMM",
    "SDM 3C 32.8: NMI handling while in SMM",
  ],
  mode: "long",
  requires,
  handlers: { 2: "at_nmi" },
  guest: asm`
    out 0x10, al
    nop
    hlt
    at_nmi:
    inc ebx
    out 0x12, al
    out 0x13, al
    iretq
    handler:
    out 0x11, al
    rsm
    handler_end:
  `,
  drive: (context) => {
    const { vcpu, run, assertEquals } = context;
    const masks = () => {
      const { smi, nmi } = vcpu.events();
      return [smi.smm, smi.smm_inside_nmi, nmi.masked];
    };
    comeToHlt(context);
    vcpu.nmi();
    run();
    complete(context);
    vcpu.smi();
    run();
    assertEquals("in SMM, there inside of an NMI, NMI masked", masks(), [1, 1, 1]);
    run();
    assertEquals("behind RSM", masks(), [0, 0, 1]);
    vcpu.nmi();
  },
  trace: `
    ${prepared}
    pio out 0x10 u8 0x0
    ${completed}
    > nmi
    pio out 0x12 u8 0x0
    ${completed}
    > smi
    pio out 0x11 u8 0x0
    pio out 0x13 u8 0x0
    > nmi
    pio out 0x12 u8 0x0
    pio out 0x13 u8 0x0
    hlt
    = rbx 0x2
    = rflags *
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
    ${savedAnything}
  `,
});
