import { asm, defineCase } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

/**
 * A write of the synthetic debugger's pending page or of its command comes to the host with all
 * pages, and the host's answer to a command is the status that the guest reads.
 */
export default defineCase({
  id: "hyperv/debug",
  spec: "KVM API 5: KVM_EXIT_HYPERV (KVM_EXIT_HYPERV_SYNDBG)",
  mode: "long",
  irqchip: "kernel",
  requires,
  ...underHyperv({
    guest: asm`
      xor edx, edx
      mov ecx, 0x400000f3             ; the page that is sent
      mov eax, 0xb000
      wrmsr
      mov ecx, 0x400000f4             ; the page where it receives
      mov eax, 0xc000
      wrmsr
      mov ecx, 0x400000f5             ; the page of what is pending
      mov eax, 0xd000
      wrmsr
      mov ecx, 0x400000f1             ; the command
      mov eax, 0x10001
      wrmsr
      mov ecx, 0x400000f2             ; the status
      rdmsr
      out 0xf4, eax
    `,
    trace: `
      hyperv-debug 0x400000f5 control=0x0 send=0xb000 receive=0xc000 pending=0xd000
      hyperv-debug 0x400000f1 control=0x10001 send=0xb000 receive=0xc000 pending=0xd000 -> 0x123456780020005
      pio out 0xf4 u32 0x80020005
      = rax 0x80020005
      = rcx 0x400000f2
      = rdx 0x1234567
      = rflags 0x46
    `,
  }),
});
