import { asm, defineCases } from "../../mod.ts";

const rows = {
  // R/W0 = 1 (writes), LEN0 = 3 (4 bytes), L0.
  write: {
    dr7: 0xd0401n,
    access: "mov dword [0xa000], 0x11223344",
    rax: "0x0",
    left: "0x11223344",
  },
  // The last byte of the four.
  "write-part": {
    dr7: 0xd0401n,
    access: "mov byte [0xa003], 0x55",
    rax: "0x0",
    left: "0x55000077",
  },
  // R/W0 = 3 (reads and writes).
  read: { dr7: 0xf0401n, access: "mov eax, [0xa000]", rax: "0x77", left: "0x77" },
} as const;

/** A watchpoint of the host's exits after the access, which is done by then. */
export default defineCases("exit/guest-debug-watchpoint", rows, ({ dr7, access, rax, left }) => ({
  spec: [
    "KVM API 4.87: KVM_SET_GUEST_DEBUG (KVM_GUESTDBG_USE_HW_BP)",
    "KVM API 5: KVM_EXIT_DEBUG",
    "SDM 3B 18.3.1.2: data memory and I/O breakpoint exception conditions",
  ],
  mode: "protected",
  requires: ["KVM_CAP_SET_GUEST_DEBUG"],
  guest: asm`
    mov byte [0xa004], 0x66
    mov ebx, [0xa004]
    ${access}
    behind:
    add cl, 1
    hlt
  `,
  drive: ({ run, vcpu, write, assertEquals }) => {
    write(0xa000, Uint8Array.of(0x77));
    vcpu.setGuestDebug({ hardwareBreakpoints: { addresses: [0xa000n], dr7 } });
    const exit = run();
    assertEquals("DR7 of the exit", exit.reason === "debug" && exit.dr7, dr7);
    assertEquals("RCX at the watchpoint", vcpu.regs().rcx, 0n);
    vcpu.setGuestDebug();
  },
  trace: ({ behind }) => `
    > guest-debug hardware-breakpoints
    debug exception=0x1 rip=${behind} dr6=0xffff0ff1 dr7=0x${dr7.toString(16)}
    > guest-debug off
    hlt
    = rax ${rax}
    = rbx 0x66
    = rcx 0x1
    = mem 0xa004 u8 0x66
    = mem 0xa000 u32 ${left}
  `,
}));
