import { asm, defineCase } from "../../mod.ts";

/** An NMI wakes a halted guest whose IF is clear, behind its HLT. */
export default defineCase({
  id: "interrupt/nmi-hlt",
  spec: ["KVM API 4.64: KVM_NMI", "SDM 2A: HLT"],
  requires: ["KVM_CAP_USER_NMI"],
  mode: "real",
  handlers: { 2: "nmi" },
  guest: asm`
    mov cx, 1
    hlt
    halted:
    mov cx, 2
    hlt
    nmi:
    mov bx, cx
    iret
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.nmi();
  },
  trace: ({ halted }) => `
    hlt
    > nmi
    hlt
    = rbx 0x1
    = rcx 0x2
    = mem 0x7ffa u16 [${halted} 0x0 0x2]
  `,
});
