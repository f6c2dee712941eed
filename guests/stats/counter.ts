import { asm, type Assembly, defineCases, type DrivenVcpu, EventFd, type Vm } from "../../mod.ts";

interface Row {
  /** By how much each of them moves between the first exit and the last. */
  readonly moves: Readonly<Record<string, bigint>>;
  readonly guest: Assembly;
  readonly mode?: "real" | "long";
  /** What the guest does in between. */
  readonly exits: string;
  readonly state?: string;
  readonly handlers?: Readonly<Record<number, string>>;
  readonly act?: (host: {
    readonly vm: Vm;
    readonly vcpu: DrivenVcpu;
    readonly event: EventFd;
    readonly run: () => unknown;
  }) => void;
  readonly clause: string;
}

/** A page that no slot backs. */
const DEVICE = 0xd0000000;

const rows: Record<string, Row> = {
  "nothing": {
    moves: {
      mmio_exits: 0n,
      halt_exits: 0n,
      irq_injections: 0n,
      nmi_injections: 0n,
      irq_window_exits: 0n,
      request_irq_exits: 0n,
      signal_exits: 0n,
      insn_emulation_fail: 0n,
    },
    clause: "KVM API 5: KVM_EXIT_IO",
    guest: asm`out 0xf4, al`,
    exits: "",
  },
  "pio": {
    moves: { io_exits: 4n, mmio_exits: 0n, halt_exits: 0n },
    clause: "KVM API 5: KVM_EXIT_IO",
    mode: "long",
    guest: asm`
      out 0x11, al
      in al, 0x12
      out 0x13, ax
      out 0xf4, al`,
    exits: `
      pio out 0x11 u8 0x0
      pio in 0x12 u8 -> 0x5
      pio out 0x13 u16 0x5`,
    state: "= rax 0x5",
  },
  "halt": {
    moves: { halt_exits: 3n, mmio_exits: 0n },
    clause: "KVM API 5: KVM_EXIT_HLT",
    guest: asm`
      hlt
      hlt
      hlt
      out 0xf4, al`,
    exits: "hlt\nhlt\nhlt",
    act: ({ run }) => [run(), run(), run()],
  },
  "mmio": {
    moves: { mmio_exits: 3n, halt_exits: 0n },
    clause: "KVM API 5: KVM_EXIT_MMIO",
    mode: "long",
    guest: asm`
      mov edi, ${DEVICE}
      mov [rdi], al
      mov [rdi + 8], rax
      mov al, [rdi]
      out 0xf4, al`,
    exits: `
      mmio write 0xd0000000 u8 0x0
      mmio write 0xd0000008 u64 0x0
      mmio read 0xd0000000 u8 -> 0x7`,
    state: "= rax 0x7\n= rdi 0xd0000000",
  },
  // One instruction, one exit of the processor, two of KVM_RUN.
  "mmio-two-pages": {
    moves: { mmio_exits: 1n },
    clause: "KVM API 5: KVM_EXIT_MMIO",
    mode: "long",
    guest: asm`
      mov edi, ${DEVICE + 0xffe}
      mov [rdi], eax
      out 0xf4, al`,
    exits: `
      mmio write 0xd0000ffe u16 0x0
      mmio write 0xd0001000 u16 0x0`,
    state: "= rdi 0xd0000ffe",
  },
  // What the kernel takes itself does not go to user space.
  "mmio-in-kernel": {
    moves: { mmio_exits: 0n },
    clause: "KVM API 4.59: KVM_IOEVENTFD",
    mode: "long",
    guest: asm`
      mov edi, ${DEVICE}
      mov [rdi], al
      mov [rdi], al
      out 0xf4, al`,
    exits: "> ioeventfd mmio 0xd0000000 size=0x1",
    state: "= rdi 0xd0000000",
    act: ({ vm, event }) => vm.events.assign(event, { space: "mmio", address: DEVICE, size: 1 }),
  },
  "interrupts": {
    moves: { irq_injections: 2n, nmi_injections: 0n },
    clause: "KVM API 4.16: KVM_INTERRUPT",
    handlers: { 0x20: "handler" },
    guest: asm`
      out 0x11, al
      out 0x12, al
      cli
      out 0xf4, al
      handler:
      iret`,
    exits: `
      > interrupt 0x20
      pio out 0x11 u8 0x0
      > interrupt 0x20
      pio out 0x12 u8 0x0`,
    state: "= rflags 0x2\n= mem 0x7ffa u16 [* 0x0 0x202]",
    act: ({ vcpu, run }) => [vcpu.interrupt(0x20), run(), vcpu.interrupt(0x20), run()],
  },
  "nmi": {
    moves: { nmi_injections: 3n, irq_injections: 0n },
    clause: "KVM API 4.64: KVM_NMI",
    handlers: { 2: "handler" },
    guest: asm`
      out 0x11, al
      out 0x12, al
      out 0x13, al
      cli
      out 0xf4, al
      handler:
      iret`,
    exits: `
      > nmi
      pio out 0x11 u8 0x0
      > nmi
      pio out 0x12 u8 0x0
      > nmi
      pio out 0x13 u8 0x0`,
    state: "= rflags 0x2\n= mem 0x7ffa u16 [* 0x0 0x202]",
    act: ({ vcpu, run }) => [vcpu.nmi(), run(), vcpu.nmi(), run(), vcpu.nmi(), run()],
  },
  "interrupt-window": {
    moves: { request_irq_exits: 1n, irq_window_exits: 1n, irq_injections: 0n },
    clause: "KVM API 5: request_interrupt_window, KVM_EXIT_IRQ_WINDOW_OPEN",
    guest: asm`
      cli
      out 0x11, al
      sti
      nop
      nop
      cli
      out 0xf4, al`,
    exits: `
      pio out 0x11 u8 0x0
      > request-irq-window 0x1
      irq-window
      > request-irq-window 0x0`,
    act: ({ vcpu, run }) => {
      run();
      vcpu.requestInterruptWindow = true;
      run();
      vcpu.requestInterruptWindow = false;
    },
  },
  "signal": {
    moves: { signal_exits: 1n },
    clause: "KVM API 4.10: KVM_RUN, EINTR",
    guest: asm`out 0xf4, al`,
    exits: "> kick\nintr",
    act: ({ vcpu, run }) => [vcpu.kick(), run()],
  },
};

/** Maps what the delivery of an event touches, or a page fault would make KVM begin it anew. */
const touch = `
    mov bx, [0x80]
    mov bx, 0
    push bx
    pop bx`;

/** A counter moves by exactly what the guest did. */
export default defineCases("stats/counter", rows, (row) => ({
  spec: ["KVM API 4.133: KVM_GET_STATS_FD, cumulative statistics", row.clause],
  mode: row.mode ?? "real",
  withoutLens: { restore: "statistics are of the VM that is destroyed" },
  requires: ["KVM_CAP_BINARY_STATS_FD", "KVM_CAP_IOEVENTFD", "KVM_CAP_USER_NMI"],
  handlers: row.handlers,
  machine: row.handlers ? { rflags: { set: 0x200n } } : undefined,
  guest: asm`
    ${row.handlers ? touch : ""}
    out 0x10, al
    ${row.guest}
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    using statistics = vcpu.statistics();
    using event = new EventFd();
    run();
    const before = statistics.read();
    row.act?.({ vm, vcpu, event, run });
    while (true) {
      const exit = run();
      if (exit.reason === "pio" && exit.port === 0xf4) break;
      if (exit.reason !== "pio" && exit.reason !== "mmio") break;
    }
    const after = statistics.read();
    const moved = Object.entries(row.moves).map(([name, expected]) => {
      const [from, to] = [before.get(name)?.[0], after.get(name)?.[0]];
      if (from === undefined || to === undefined) return [name, "not there"];
      const by = to - from;
      // An entry that the host calls off injects anew at the next one: once in a run, if at all.
      const again = expected > 0n && name.endsWith("_injections") && by === expected + 1n;
      return [name, again ? expected : by];
    });
    assertEquals("what moved", moved, Object.entries(row.moves));
  },
  trace: `
    pio out 0x10 u8 0x0
    ${row.exits}
    pio out 0xf4 u8 *
    ${row.state ?? ""}
  `,
}));
