import { asm, defineCase } from "../../mod.ts";

/** What INSB read reaches memory, and RDI moves, when KVM_RUN is called again and not before. */
export default defineCase({
  id: "pio/string-completes-on-reentry",
  spec: ["KVM API 5: immediate_exit", "KVM API 5: KVM_EXIT_IO, the note on completion"],
  mode: "long",
  requires: ["KVM_CAP_IMMEDIATE_EXIT"],
  registers: { rdx: 0x1f0n, rdi: 0xa123n },
  guest: asm`
    insb
    next:
    mov ebx, 1
    hlt
  `,
  drive: ({ vcpu, run, write, read, labels, assertEquals }) => {
    write(0xa123, Uint8Array.of(0x55));
    run();
    assertEquals("memory before the re-entry", read(0xa123, 1), Uint8Array.of(0x55));
    assertEquals("RDI before the re-entry", vcpu.regs().rdi, 0xa123n);
    vcpu.immediateExit = true;
    run();
    assertEquals("memory after the re-entry", read(0xa123, 1), Uint8Array.of(0x9f));
    assertEquals("RDI after the re-entry", vcpu.regs().rdi, 0xa124n);
    assertEquals("RIP after the re-entry", vcpu.regs().rip, labels.get("next"));
    vcpu.immediateExit = false;
  },
  trace: `
    pio in 0x1f0 u8 -> 0x9f
    > immediate-exit 0x1
    intr
    > immediate-exit 0x0
    hlt
    = mem 0xa123 u8 0x9f
    = rdi 0xa124
    = rbx 0x1
  `,
});
