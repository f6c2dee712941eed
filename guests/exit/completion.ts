import { asm, defineCases } from "../../mod.ts";

/** What waits to be completed: the instruction, its exit, and what it leaves in which register. */
const operations = {
  in: {
    operation: "in eax, dx",
    exit: "pio in 0x10 u32 -> 0xa1b2c3d4",
    rax: 0xa1b2c3d4n,
    rcx: 3n,
    rsi: 0xa000n,
    effect: "",
  },
  "mmio-read": {
    operation: "mov rax, [rbx]",
    exit: "mmio read 0xd0000000 u64 -> 0x8877665544332211",
    rax: 0x8877665544332211n,
    rcx: 3n,
    rsi: 0xa000n,
    effect: "",
  },
  "mmio-read-to-memory": {
    operation: "push qword [rbx]",
    exit: "mmio read 0xd0000000 u64 -> 0x8877665544332211",
    rax: 0x1234567890abcdefn,
    rcx: 3n,
    rsi: 0xa000n,
    effect: "= rsp 0x7ff8\n= mem 0x7ff8 u64 0x8877665544332211",
  },
  "mmio-read-extend": {
    operation: "movzx eax, byte [rbx]",
    exit: "mmio read 0xd0000000 u8 -> 0x99",
    rax: 0x99n,
    rcx: 3n,
    rsi: 0xa000n,
    effect: "",
  },
  out: {
    operation: "out dx, ax",
    exit: "pio out 0x10 u16 0xcdef",
    rax: 0x1234567890abcdefn,
    rcx: 3n,
    rsi: 0xa000n,
    effect: "",
  },
  "mmio-write": {
    operation: "mov [rbx], rax",
    exit: "mmio write 0xd0000000 u64 0x1234567890abcdef",
    rax: 0x1234567890abcdefn,
    rcx: 3n,
    rsi: 0xa000n,
    effect: "",
  },
  outs: {
    operation: "outsb",
    exit: "pio out 0x10 u8 0x0",
    rax: 0x1234567890abcdefn,
    rcx: 3n,
    rsi: 0xa001n,
    effect: "",
  },
};

type Operation = (typeof operations)[keyof typeof operations];
const rows: Record<string, Operation & { by: "immediate-exit" | "signal" }> = {};
for (const [name, operation] of Object.entries(operations)) {
  rows[`${name}-immediate-exit`] = { ...operation, by: "immediate-exit" };
  rows[`${name}-signal`] = { ...operation, by: "signal" };
}

/**
 * KVM_RUN with immediate_exit, or with a signal pending, completes the access that the last exit
 * left pending and executes nothing of the guest beyond it.
 */
export default defineCases("exit/completion", rows, (row) => ({
  spec: ["KVM API 5: KVM_EXIT_IO, KVM_EXIT_MMIO (pending operations)", "KVM API 5: immediate_exit"],
  mode: "long",
  requires: ["KVM_CAP_IMMEDIATE_EXIT"],
  machine: { rflags: { set: 0x8d5n } },
  registers: {
    rax: 0x1234567890abcdefn,
    rbx: 0xd0000000n,
    rcx: 3n,
    rdx: 0x10n,
    rsi: 0xa000n,
  },
  guest: asm`
    ${row.operation}
    behind:
    mov byte [0xb000], 1
    xchg rax, r8
    out 0x11, al
    hlt
  `,
  drive: ({ run, read, vcpu, labels, assertEquals }) => {
    run();
    if (row.by === "signal") vcpu.kick();
    else vcpu.immediateExit = true;
    run();
    const { rax, rcx, rsi, rflags, rip, r8 } = vcpu.regs();
    assertEquals("RIP", rip, labels.get("behind"));
    assertEquals("RAX", rax, row.rax);
    assertEquals("RCX and RSI", [rcx, rsi], [row.rcx, row.rsi]);
    assertEquals("RFLAGS", rflags, 0x8d7n);
    assertEquals("R8, which the next instructions change", r8, 0x0808080808080808n);
    assertEquals("memory, which the next instruction changes", read(0xb000, 1), [0]);
    if (row.by === "immediate-exit") vcpu.immediateExit = false;
  },
  trace: `
    ${row.exit}
    ${row.by === "signal" ? "> kick" : "> immediate-exit 0x1"}
    intr
    ${row.by === "signal" ? "" : "> immediate-exit 0x0"}
    pio out 0x11 u8 0x8
    hlt
    = r8 0x${row.rax.toString(16)}
    = rax 0x808080808080808
    = rsi 0x${row.rsi.toString(16)}
    = mem 0xb000 u8 0x1
    ${row.effect}
  `,
}));
