import { asm, defineCase } from "../../mod.ts";

/** A guest whose #UD handler returns to the UD2, exception after exception, is ended by a signal. */
export default defineCase({
  id: "exit/runaway-exceptions",
  spec: ["KVM API 4.10: KVM_RUN (EINTR)", "SDM 3A 6.15: Interrupt 6"],
  mode: "long",
  timeout: 100,
  handlers: { 6: "undefinedOpcode" },
  guest: asm`
    mov byte [0xa000], 1
    again:
    ud2
    mov byte [0xa001], 1
    out 0x10, al
    undefinedOpcode:
    iretq
  `,
  // RIP, CS, RFLAGS (with RF, as it is a fault), RSP, SS: the same each time.
  trace: ({ again }) => `
    timeout
    = mem 0xa000 u8 [0x1 0x0]
    = mem 0x7fd8 u64 [${again} 0x28 0x10002 0x8000 0x30]
  `,
});
