import { asm, defineCases } from "../../mod.ts";

const HALTS = 4;

// The most nanoseconds that a vCPU may poll; how many of the halts are polled.
const rows: Record<string, { most?: number; polled: bigint }> = {
  // Each is much longer than what is polled at most.
  "of-the-module": { polled: 0n },
  "none": { most: 0, polled: 0n },
  "shorter-than-a-halt": { most: 1000, polled: 0n },
  // The first halt tells how long they are.
  "longer-than-a-halt": { most: 1_000_000_000, polled: BigInt(HALTS - 1) },
};

/** A vCPU is polled at HLT only where halts are shorter than KVM_CAP_HALT_POLL allows. */
export default defineCases("stats/halt-poll", rows, ({ most, polled }) => ({
  spec: [
    "KVM API 7.20: KVM_CAP_HALT_POLL",
    "Documentation/virt/kvm/halt-polling.rst: polling grows from 0 while halts are shorter",
    "KVM API 4.133: KVM_GET_STATS_FD, halt_attempted_poll",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: [
    "KVM_CAP_HALT_POLL",
    "KVM_CAP_BINARY_STATS_FD",
    { parameter: "kvm.halt_poll_ns", value: "200000" },
  ],
  withoutLens: { restore: "statistics are of the VM that is destroyed" },
  registers: { rsi: 0xfee00000n },
  handlers: { 0x51: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x320], 0x51   ; one shot
    mov dword [rsi + 0x3e0], 0xb    ; not divided
    mov edi, ${HALTS}
    again:
    mov dword [rsi + 0x380], 5000000
    sti
    hlt
    cli
    dec edi
    jnz again
    out 0x10, al
    handler:
    inc dword [0xa000]
    mov dword [rsi + 0xb0], 0
    iretq
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    if (most !== undefined) vm.enableCapability("KVM_CAP_HALT_POLL", most);
    using statistics = vcpu.statistics();
    run();
    assertEquals("halt_attempted_poll", statistics.value("halt_attempted_poll"), polled);
    assertEquals("halt_exits", statistics.value("halt_exits"), BigInt(HALTS));
    assertEquals("waited", statistics.value("halt_wait_ns")! > 0n, true);
  },
  trace: `
    ${most === undefined ? "" : `> enable halt-poll 0x${most.toString(16)}`}
    pio out 0x10 u8 0x0
    = rflags *
    = mem 0xa000 u32 0x${HALTS}
    = mem 0x7fd0 u64 [${"* ".repeat(6)}]
  `,
}));
