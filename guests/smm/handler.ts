import { asm, defineCases } from "../../mod.ts";
import { comeToHlt, completed, prepared, requires, savedAnything, store } from "./_smram.ts";

const rows = {
  // What the handler writes into the save area is what RSM loads.
  "registers-changed": {
    handler: [store(0xfff8, 0x5a5a5a5a), store(0xffd8, 0x7f00)],
    state: "= rax 0x5a5a5a5a\n= rsp 0x7f00",
  },
  "flags-changed": {
    handler: [store(0xff70, 0x8d7)],
    state: "= rflags 0x8d7",
  },
  // A new SMBASE counts from RSM on.
  relocated: {
    handler: [store(0xff00, 0x300000)],
    state: "= msr.0x9e 0x300000",
  },
};

/** A handler that changes what the processor has saved. */
export default defineCases("smm/handler", rows, ({ handler, state }) => ({
  spec: ["APM 2 10.4: leaving SMM", "APM 2 10.2.4: SMM revision identifier, SMBASE relocation"],
  mode: "long",
  requires,
  guest: asm`
    out 0x10, al
    hlt
    handler:
    ${handler.join("\n")}
    rsm
    handler_end:
  `,
  drive: (context) => {
    comeToHlt(context);
    context.vcpu.smi();
  },
  trace: `
    ${prepared}
    pio out 0x10 u8 0x0
    ${completed}
    > smi
    hlt
    ${state}
    ${savedAnything}
  `,
}));
