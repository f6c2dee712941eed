import { asm, defineCase } from "../../mod.ts";
import { comeToHlt, completed, prepared, savedAnything } from "../smm/_smram.ts";
import * as smm from "../smm/_smram.ts";
import { machine, requires } from "./_vmcb.ts";

/** Between CLGI and STGI an SMI is not taken either, and waits. */
export default defineCase({
  id: "nested-svm/smi-held",
  spec: ["APM 2 15.17: global interrupt flag, STGI and CLGI instructions", "KVM API 4.96: KVM_SMI"],
  mode: "long",
  requires: [...requires, ...smm.requires],
  machine,
  guest: asm`
    clgi
    out 0x10, al
    nop
    out 0x11, al
    stgi
    nop
    out 0x12, al
    hlt
    handler:
    out 0x20, al
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
    pio out 0x11 u8 0x0
    pio out 0x20 u8 0x0
    pio out 0x12 u8 0x0
    hlt
    ${savedAnything}
  `,
});
