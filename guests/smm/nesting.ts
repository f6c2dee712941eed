import { asm, defineCases } from "../../mod.ts";
import { comeToHlt, completed, prepared, requires, savedAnything } from "./_smram.ts";

const rows = {
  // A second SMI waits for RSM, and is taken before another instruction of the guest is.
  smi: {
    raise: "smi",
    first: "pio out 0x11 u8 0x5a",
    then: "pio out 0x11 u8 0x5a",
    handled: "0x0",
  },
  // So does an NMI.
  nmi: { raise: "nmi", first: "pio out 0x11 u8 0x5a", then: "pio out 0x12 u8 0x0", handled: "0x1" },
} as const;

/** In SMM neither an SMI nor an NMI is taken; one of each waits. */
export default defineCases("smm/nesting", rows, ({ raise, first, then, handled }) => ({
  spec: ["APM 2 10.3.3: exceptions and interrupts in SMM", "KVM API 4.96: KVM_SMI"],
  mode: "long",
  requires,
  handlers: { 2: "at_nmi" },
  guest: asm`
    out 0x10, al
    behind:
    nop
    hlt
    at_nmi:
    inc ebx
    out 0x12, al
    iretq
    handler:
    mov al, 0x5a
    out 0x11, al
    nop
    rsm
    handler_end:
  `,
  drive: (context) => {
    const { vcpu, run } = context;
    comeToHlt(context);
    vcpu.smi();
    run();
    if (raise === "smi") vcpu.smi();
    else vcpu.nmi();
  },
  trace: ({ behind }) => `
    ${prepared}
    pio out 0x10 u8 0x0
    ${completed}
    > smi
    ${first}
    > ${raise}
    ${then}
    hlt
    = rbx ${handled}
    ${raise === "nmi" ? `= mem 0x7fd8 u64 [${behind} 0x28 0x2 0x8000 0x30]` : ""}
    ${raise === "nmi" ? "= rflags *" : ""}
    ${savedAnything}
  `,
}));
