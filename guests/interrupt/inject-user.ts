import { asm, defineCases } from "../../mod.ts";

const stackSwitch = {
  notEmulatedBy: "qemu-tcg",
  because: "it aborts at a stack switch through a busy 32-bit TSS",
} as const;

const modes = {
  protected: {
    mode: "protected",
    data: 0x10,
    stack: (resumed: string) =>
      `= rsp 0x6fec
      = rbx 0x10
      = rax 0x10
      = cs.selector 0x8
      = cs.access 0xc09b
      = ss.selector 0x10
      = ss.access 0xc093
      = mem 0x6fec u32 [${resumed} 0x1b 0x202 0x7ff1 0x23]`,
  },
  long: {
    mode: "long",
    data: 0x30,
    stack: (resumed: string) =>
      `= rsp 0x6fd8
      = cs.selector 0x28
      = rbx 0x0
      = rax 0x30
      = cs.access 0xa09b
      = ss.selector 0x30
      = ss.access 0xc093
      = mem 0x6fd8 u64 [${resumed} 0x4b 0x202 0x7ff1 0x43]`,
  },
} as const;

/**
 * An interrupt at CPL 3 switches to the TSS's stack for CPL 0 and pushes the old SS and stack
 * pointer first; in 64-bit mode the new SS is the null selector.
 */
export default defineCases("interrupt/inject-user", modes, ({ mode, data, stack }) => ({
  spec: [
    "KVM API 4.16: KVM_INTERRUPT",
    "SDM 3A 6.12.1: stack switch",
    "SDM 3A 6.14.4: stack switching in IA-32e mode",
  ],
  mode,
  requires: mode === "protected" ? [stackSwitch] : [],
  machine: { privilege: 3, rflags: { set: 0x200n } },
  registers: { rsp: 0x7ff1n, rbx: 0x1111n, rdi: 0xd0000000n },
  handlers: { 0x20: "handler" },
  guest: asm`
    mov [edi], al                   ; leaves the guest; the host enqueues the interrupt
    resumed:
    ud2
    handler:
    mov ebx, ss
    mov eax, ${data}
    mov ss, eax
    hlt
  `,
  drive({ run, vcpu }) {
    run();
    vcpu.interrupt(0x20);
  },
  trace: ({ resumed }) => `
    mmio write 0xd0000000 u8 0x0
    > interrupt 0x20
    hlt
    = rflags 0x2
    ${stack(resumed)}
  `,
}));
