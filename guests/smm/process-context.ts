import { asm, defineCase } from "../../mod.ts";
import { comeToHlt, completed, prepared, requires, savedAnything } from "./_smram.ts";

/** RSM brings back CR4.PCIDE and the process-context identifier in CR3. */
export default defineCase({
  id: "smm/process-context",
  spec: ["SDM 3C 32.3.2: exiting from SMM", "SDM 3A 4.10.1: process-context identifiers"],
  mode: "long",
  requires: [...requires, { cpuid: "PCID" }],
  guest: asm`
    mov rax, cr4
    or eax, 0x20000
    mov cr4, rax
    mov rax, cr3
    or eax, 5
    mov cr3, rax
    out 0x10, al
    mov rbx, cr3
    mov rcx, cr4
    hlt
    handler:
    out 0x11, al
    rsm
    handler_end:
  `,
  drive: (context) => {
    comeToHlt(context);
    context.vcpu.smi();
  },
  trace: `
    ${prepared}
    pio out 0x10 u8 0x5
    ${completed}
    > smi
    pio out 0x11 u8 0x5
    hlt
    = rax 0x10005
    = rbx 0x10005
    = rcx 0x20020
    = rflags *
    = cr3 0x10005
    = cr4 0x20020
    ${savedAnything}
  `,
});
