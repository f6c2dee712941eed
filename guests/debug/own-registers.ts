import { asm, defineCase } from "../../mod.ts";

/** While the host's breakpoints are in the debug registers the guest reads and writes its own. */
export default defineCase({
  id: "debug/own-registers",
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_USE_HW_BP)",
    "SDM 2B: MOV to and from debug registers",
  ],
  mode: "long",
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  guest: asm`
    mov eax, 0x1234
    mov dr0, rax
    mov eax, 0x5678
    mov dr3, rax
    xor eax, eax
    out 0x10, al
    mov rax, dr0
    mov rbx, dr3
    mov rcx, dr7
    mov edx, 0x9abc
    mov dr1, rdx
    mov edx, 0x300
    mov dr7, rdx
    mov rsi, dr1
    mov rdi, dr7
    out 0x11, al
    stop:
    nop
    hlt
  `,
  drive: ({ run, vcpu, labels }) => {
    run();
    const stop = labels.get("stop")!;
    vcpu.setGuestDebug({ hardwareBreakpoints: { addresses: [0n, stop], dr7: 0x408n } });
    run();
    run();
    vcpu.setGuestDebug();
  },
  trace: ({ stop }) => `
    pio out 0x10 u8 0x0
    > guest-debug hardware-breakpoints
    pio out 0x11 u8 0x34
    debug exception=0x1 rip=${stop} dr6=0xffff0ff2
    > guest-debug off
    hlt
    = rax 0x1234
    = rbx 0x5678
    = rcx 0x400
    = rdx 0x300
    = rsi 0x9abc
    = rdi 0x700
    = dr0 0x1234
    = dr1 0x9abc
    = dr3 0x5678
    = dr7 0x700
    = rflags 0x46
  `,
});
