import { asm, defineCase } from "../../mod.ts";

/** An interrupt enqueued before the first KVM_RUN is taken before the guest's first instruction. */
export default defineCase({
  id: "interrupt/inject-before-first-entry",
  spec: "KVM API 4.16: KVM_INTERRUPT",
  mode: "real",
  machine: { rflags: { set: 0x201n } },
  handlers: { 0x41: "handler" },
  guest: asm`
    first:
    mov cx, bx
    hlt
    handler:
    mov bx, 0x1234
    iret
  `,
  drive({ vcpu }) {
    vcpu.interrupt(0x41);
  },
  trace: ({ first }) => `
    > interrupt 0x41
    hlt
    = rbx 0x1234
    = rcx 0x1234
    = mem 0x7ffa u16 [${first} 0x0 0x203]
  `,
});
