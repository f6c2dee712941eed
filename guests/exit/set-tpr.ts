import { asm, defineCase } from "../../mod.ts";

/** Without a local APIC in the kernel the host hears of a CR8 that falls, and not of one that rises. */
export default defineCase({
  id: "exit/set-tpr",
  spec: ["KVM API 5: struct kvm_run, cr8 and KVM_EXIT_SET_TPR", "SDM 3A 11.8.6: CR8"],
  mode: "long",
  guest: asm`
    mov eax, 0xf
    mov cr8, rax
    mov eax, 3
    mov cr8, rax
    mov cr8, rax
    mov rbx, cr8
    mov eax, 2
    mov cr8, rax
    hlt
  `,
  drive: ({ run, vcpu, assertEquals }) => {
    run();
    assertEquals("CR8 as the host sees it", [vcpu.cr8, vcpu.sregs().cr8], [3n, 3n]);
  },
  trace: `
    set-tpr
    set-tpr
    hlt
    = rax 0x2
    = rbx 0x3
    = cr8 0x2
    = rflags *
  `,
});
