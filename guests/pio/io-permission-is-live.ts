import { asm, defineCase } from "../../mod.ts";

/**
 * The bitmap is memory: each access obeys what it says at that time. The guest opens port 0x10 with a
 * store, uses it, closes it and is refused.
 */
export default defineCase({
  id: "pio/io-permission-is-live",
  spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.5.2: I/O permission bit map"],
  mode: "long",
  machine: { privilege: 3, ioPorts: [] },
  handlers: { 13: "general_protection" },
  registers: { rax: 0x41n },
  guest: asm`
    bitmap equ 0x3068
    mov byte [bitmap + 2], 0xfe
    out 0x10, al
    mov byte [bitmap + 2], 0xff
    refused:
    out 0x10, al
    hlt
    general_protection:
    hlt
  `,
  trace: ({ refused }) => `
    pio out 0x10 u8 0x41
    hlt
    = mem 0x6fd0 u64 [0x0 ${refused} 0x4b 0x10002 0x8000 0x43]
    = rsp 0x6fd0
    = cs.selector 0x28
    = cs.access 0xa09b
    = ss.selector 0x0
    = ss.access 0x10000
  `,
});
