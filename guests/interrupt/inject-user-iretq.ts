import { asm, defineCase } from "../../mod.ts";

/** IRETQ takes an interrupted guest back to CPL 3, to its own stack and segments, once. */
export default defineCase({
  id: "interrupt/inject-user-iretq",
  spec: ["KVM API 4.16: KVM_INTERRUPT", "SDM 2A: IRETQ"],
  mode: "long",
  machine: { privilege: 3, rflags: { set: 0x200n } },
  registers: { rsp: 0x7ff1n, rdi: 0xd0000000n },
  handlers: { 0x20: "handler" },
  guest: asm`
    mov [rdi], al                   ; leaves the guest; the host enqueues the interrupt
    resumed:
    inc ecx
    mov rdx, rsp
    mov [rdi + 1], al
    handler:
    not esi
    iretq
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.interrupt(0x20);
  },
  trace: ({ resumed }) => `
    mmio write 0xd0000000 u8 0x0
    > interrupt 0x20
    mmio write 0xd0000001 u8 0x0
    = rcx 0x1
    = rdx 0x7ff1
    = rsi 0xffffffff
    = mem 0x6fd8 u64 [${resumed} 0x4b 0x202 0x7ff1 0x43]
  `,
});
