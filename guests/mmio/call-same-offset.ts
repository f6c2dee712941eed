import { asm, defineCase } from "../../mod.ts";

/**
 * CALL through a pointer in a device pushes to its own stack, even where the stack lies at the same
 * offset of its page as the pointer.
 */
export default defineCase({
  id: "mmio/call-same-offset",
  spec: ["SDM 2A: CALL", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  registers: { rsp: 0xb048n, rdi: 0xd0000040n },
  guest: asm`
    call [rdi]
    behind:
    mov cl, 1
    hlt
    target:
    mov cl, 2
    hlt
  `,
  trace: ({ behind, target }) => `
    mmio read 0xd0000040 u64 -> ${target}
    hlt
    = rcx 0x2
    = rsp 0xb040
    = mem 0xb040 u64 ${behind}
  `,
});
