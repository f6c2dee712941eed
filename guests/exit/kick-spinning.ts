import { asm, defineCases, type ModeName } from "../../mod.ts";

const modes: Record<string, ModeName> = { real: "real", protected: "protected", long: "long" };

/**
 * A signal to the thread of a vCPU that spins ends its KVM_RUN once, and nothing but the signal
 * does: immediate_exit is looked at when KVM_RUN starts. The other vCPU does not notice.
 */
export default defineCases("exit/kick-spinning", modes, (mode) => ({
  spec: [
    "KVM API 4.10: KVM_RUN (EINTR)",
    "KVM API 4.21: KVM_SET_SIGNAL_MASK",
    "KVM API 5: immediate_exit",
  ],
  mode,
  vcpus: 2,
  // With IF set: under Bochs nothing ends a guest that spins with IF clear (see exit/runaway).
  registers: { rflags: 0x202n },
  requires: ["KVM_CAP_IMMEDIATE_EXIT"],
  guest: asm`
    mov byte [0xa000], 1
    spin:
    pause
    cmp byte [0xa001], 0
    je spin
    add al, 0x21
    out 0x10, al
    hlt
    vcpu1:
    pause
    cmp byte [0xa000], 0
    je vcpu1
    add al, 0x31
    out 0x11, al
    hlt
  `,
  drive: async ({ runOn, thread, write, assertEquals, labels }) => {
    const spinning = runOn(0);
    await runOn(1);
    thread(0).setImmediateExit(true);
    await runOn(1);
    thread(0).kick();
    await spinning;
    const { rip, rax } = await thread(0).call("regs");
    const inLoop = rip >= labels.get("spin")! && rip < labels.get("vcpu1")!;
    assertEquals("whether RIP is in the loop", inLoop, true);
    assertEquals("RAX", rax, 0n);
    await runOn(0);
    assertEquals("RIP after immediate_exit", (await thread(0).call("regs")).rip, rip);
    thread(0).setImmediateExit(false);
    write(0xa001, Uint8Array.of(1));
  },
  trace: `
    > immediate-exit 0x1
    > kick 0x0
    > immediate-exit 0x0
    0: intr
    0: intr
    0: pio out 0x10 u8 0x21
    0: hlt
    1: pio out 0x11 u8 0x31
    1: hlt
    0: = rax 0x21
    0: = rflags 0x206
    1: = rax 0x31
    1: = rflags 0x202
    = mem 0xa000 u8 0x1
  `,
}));
