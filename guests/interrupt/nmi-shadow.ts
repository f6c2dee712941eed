import { asm, defineCase } from "../../mod.ts";
import { complete, completed } from "../smm/_smram.ts";

/** An NMI behind a MOV to SS waits for the instruction that follows. */
export default defineCase({
  id: "interrupt/nmi-shadow",
  spec: [
    "SDM 3A 6.8.3: masking exceptions and interrupts when switching stacks",
    "KVM API 4.32: KVM_SET_VCPU_EVENTS (interrupt.shadow)",
    "KVM API 4.64: KVM_NMI",
  ],
  mode: "long",
  requires: ["KVM_CAP_USER_NMI", "KVM_CAP_VCPU_EVENTS"],
  handlers: { 2: "handler" },
  guest: asm`
    out 0x10, al
    mov ebx, 1
    behind:
    mov ecx, 1
    hlt
    handler:
    mov edx, 1
    hlt
  `,
  drive: (context) => {
    const { vcpu, run } = context;
    run();
    complete(context);
    const events = vcpu.events();
    // KVM_X86_SHADOW_INT_MOV_SS.
    vcpu.setEvents({ ...events, interrupt: { ...events.interrupt, shadow: 1 } });
    vcpu.nmi();
  },
  trace: ({ behind }) => `
    pio out 0x10 u8 0x0
    ${completed}
    > set-events
    > nmi
    hlt
    = rbx 0x1
    = rdx 0x1
    = rsp 0x7fd8
    = nmi.masked 0x1
    = mem 0x7fd8 u64 [${behind} 0x28 0x2 0x8000 0x30]
  `,
});
