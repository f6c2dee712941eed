import { assertEquals } from "@std/assert";
import { exitDetails, type ExitReasonName, exitReasons } from "../ffi/abi/exits.ts";
import { kvm_run, kvm_run_io, kvm_run_mmio } from "../ffi/abi/run.ts";
import type { Exit } from "../src/kvm/exit.ts";
import { decodeExit } from "../src/kvm/decode_exit.ts";

/** The area that KVM shares, with an exit reason. */
function area(reason: number): DataView<ArrayBuffer> {
  const run = new DataView(new ArrayBuffer(0x2000));
  run.setUint32(kvm_run.fields.exit_reason[0], reason, true);
  return run;
}

for (const size of [1, 2, 4] as const) {
  Deno.test(`a string OUT of elements of ${size} bytes is decoded element by element`, () => {
    const run = area(exitReasons.KVM_EXIT_IO);
    const { fields } = kvm_run_io;
    run.setUint8(fields.direction[0], exitDetails.KVM_EXIT_IO_OUT);
    run.setUint8(fields.size[0], size);
    run.setUint16(fields.port[0], 0xfffe, true);
    run.setUint32(fields.count[0], 3, true);
    run.setUint32(fields.data_offset[0], 0x1000, true);
    for (let byte = 0; byte < 3 * size; byte++) run.setUint8(0x1000 + byte, 0xf1 + byte);
    const bytes = Array.from({ length: 3 * size }, (_, byte) => 0xf1 + byte);
    const values = [0, 1, 2].map((index) =>
      bytes.slice(index * size, (index + 1) * size)
        .reduceRight((value, byte) => value * 0x100 + byte, 0)
    );
    assertEquals(decodeExit(run), {
      reason: "pio",
      direction: "out",
      port: 0xfffe,
      size,
      count: 3,
      values,
    });
  });
}

Deno.test("an MMIO write of any size has its own bytes alone", () => {
  const run = area(exitReasons.KVM_EXIT_MMIO);
  const { fields } = kvm_run_mmio;
  run.setBigUint64(fields.phys_addr[0], 0xffff_ffff_f000n, true);
  run.setBigUint64(fields.data[0], 0x8877665544332211n, true);
  run.setUint8(fields.is_write[0], 1);
  const values = [1, 2, 3, 4, 5, 6, 7, 8].map((size) => {
    run.setUint32(fields.len[0], size, true);
    const exit = decodeExit(run);
    return exit.reason === "mmio" && exit.value;
  });
  assertEquals(
    values,
    [1, 2, 3, 4, 5, 6, 7, 8].map((size) => BigInt.asUintN(8 * size, 0x8877665544332211n)),
  );
});

/** An area whose bytes tell where they are: the union starts at 32. */
function patterned(reason: number, ...words: [offset: number, value: number][]): DataView {
  const run = area(reason);
  for (let at = 32; at < 32 + 256; at++) run.setUint8(at, at - 32 + 1);
  for (const [offset, value] of words) run.setUint32(offset, value, true);
  return run;
}

/** The 64 bits that {@link patterned} leaves at an offset of the union. */
function word(offset: number): bigint {
  return [7, 6, 5, 4, 3, 2, 1, 0]
    .reduce((value, byte) => value << 8n | BigInt(offset + byte + 1 & 0xff), 0n);
}

const half = (offset: number) => Number(word(offset) & 0xffffffffn);
const words = (offset: number, count: number) =>
  Array.from({ length: count }, (_, index) => word(offset + 8 * index));

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index + 1);

/** What each reason of the header becomes, but for those that only other architectures have. */
const expected: Partial<Record<ExitReasonName, [exit: unknown, ...words: [number, number][]]>> = {
  KVM_EXIT_UNKNOWN: [{ reason: "unknown", exitReason: 0, hardwareReason: word(0), bytes }],
  KVM_EXIT_EXCEPTION: [{ reason: "exception", exception: half(0), errorCode: half(4) }],
  KVM_EXIT_IO: [
    { reason: "pio", direction: "in", port: 0x0403, size: 2, count: half(4), values: [] },
    [32, 0x04030200],
  ],
  KVM_EXIT_HYPERCALL: [
    { reason: "hypercall", number: word(0), args: words(8, 6), flags: word(64) },
  ],
  KVM_EXIT_DEBUG: [
    { reason: "debug", exception: half(0), pc: word(8), dr6: word(16), dr7: word(24) },
  ],
  KVM_EXIT_HLT: [{ reason: "hlt" }],
  KVM_EXIT_MMIO: [
    { reason: "mmio", direction: "write", address: word(0), size: 8, value: word(8) },
    [48, 8],
  ],
  KVM_EXIT_IRQ_WINDOW_OPEN: [{ reason: "irq-window" }],
  KVM_EXIT_SHUTDOWN: [{ reason: "shutdown" }],
  KVM_EXIT_FAIL_ENTRY: [{ reason: "fail-entry", hardwareReason: word(0), cpu: half(8) }],
  // It comes with EINTR, and is told from that.
  KVM_EXIT_INTR: [{ reason: "unknown", exitReason: 10, hardwareReason: 0n, bytes }],
  KVM_EXIT_SET_TPR: [{ reason: "set-tpr" }],
  KVM_EXIT_TPR_ACCESS: [{ reason: "tpr-access", rip: word(0), isWrite: true }],
  KVM_EXIT_NMI: [{ reason: "nmi" }],
  KVM_EXIT_INTERNAL_ERROR: [
    { reason: "internal-error", suberror: 3, data: words(8, 4) },
    [32, 3],
    [36, 4],
  ],
  KVM_EXIT_SYSTEM_EVENT: [
    { reason: "system-event", type: 2, data: words(8, 3) },
    [32, 2],
    [36, 3],
  ],
  KVM_EXIT_IOAPIC_EOI: [{ reason: "ioapic-eoi", vector: 1 }],
  KVM_EXIT_HYPERV: [
    {
      reason: "hyperv-synic",
      msr: half(8),
      control: word(16),
      eventPage: word(24),
      messagePage: word(32),
    },
    [32, 1],
  ],
  KVM_EXIT_X86_RDMSR: [
    { reason: "rdmsr", index: half(12), why: "filter", value: 0n },
    [40, 4],
  ],
  KVM_EXIT_X86_WRMSR: [
    { reason: "wrmsr", index: half(12), why: "inval", value: word(16) },
    [40, 1],
  ],
  KVM_EXIT_DIRTY_RING_FULL: [{ reason: "dirty-ring-full" }],
  KVM_EXIT_AP_RESET_HOLD: [{ reason: "ap-reset-hold" }],
  KVM_EXIT_X86_BUS_LOCK: [{ reason: "bus-lock" }],
  KVM_EXIT_XEN: [
    {
      reason: "xen-hypercall",
      longMode: true,
      cpl: half(12),
      input: word(16),
      params: words(32, 6),
    },
    [32, 1],
  ],
  KVM_EXIT_NOTIFY: [{ reason: "notify", flags: half(0) }],
  KVM_EXIT_MEMORY_FAULT: [
    { reason: "memory-fault", flags: word(0), address: word(8), size: word(16) },
  ],
};

for (const [name, number] of Object.entries(exitReasons)) {
  Deno.test(`${name} is decoded with all of its payload`, () => {
    const [exit, ...changes] = expected[name as ExitReasonName] ??
      [{ reason: "other-architecture", name, exitReason: number, bytes }];
    assertEquals(decodeExit(patterned(number, ...changes)), exit as Exit);
  });
}

Deno.test("only reasons that name another architecture are left to it", () => {
  const others = Object.keys(exitReasons).filter((name) => !(name in expected));
  assertEquals(others, [
    "KVM_EXIT_S390_SIEIC",
    "KVM_EXIT_S390_RESET",
    "KVM_EXIT_DCR",
    "KVM_EXIT_OSI",
    "KVM_EXIT_PAPR_HCALL",
    "KVM_EXIT_S390_UCONTROL",
    "KVM_EXIT_WATCHDOG",
    "KVM_EXIT_S390_TSCH",
    "KVM_EXIT_EPR",
    "KVM_EXIT_S390_STSI",
    "KVM_EXIT_ARM_NISV",
    "KVM_EXIT_RISCV_SBI",
    "KVM_EXIT_RISCV_CSR",
    "KVM_EXIT_LOONGARCH_IOCSR",
  ]);
});

Deno.test("Hyper-V's other exits, and one that has no type yet", () => {
  const { KVM_EXIT_HYPERV } = exitReasons;
  assertEquals(decodeExit(patterned(KVM_EXIT_HYPERV, [32, 2])), {
    reason: "hyperv-hypercall",
    input: word(8),
    params: words(24, 2),
  });
  assertEquals(decodeExit(patterned(KVM_EXIT_HYPERV, [32, 3])), {
    reason: "hyperv-debug",
    msr: half(8),
    control: word(16),
    sendPage: word(32),
    receivePage: word(40),
    pendingPage: word(48),
  });
  const exit = decodeExit(patterned(KVM_EXIT_HYPERV, [32, 9]));
  assertEquals(exit.reason === "unknown" && exit.exitReason, KVM_EXIT_HYPERV);
});

Deno.test("a failed emulation tells the instruction where KVM does", () => {
  const run = patterned(exitReasons.KVM_EXIT_INTERNAL_ERROR, [32, 1], [36, 3], [40, 1], [44, 0]);
  run.setUint8(48, 3);
  const exit = decodeExit(run);
  assertEquals(exit.reason === "internal-error" && exit.instruction, Uint8Array.of(18, 19, 20));
  run.setUint32(40, 0, true);
  const silent = decodeExit(run);
  assertEquals(silent.reason === "internal-error" && silent.instruction, undefined);
});

Deno.test("an exit reason that is not known is kept as its number and its bytes", () => {
  const exit = { reason: "unknown", exitReason: 0x7fff, hardwareReason: 0n, bytes } as const;
  assertEquals(decodeExit(patterned(0x7fff)), exit);
});
