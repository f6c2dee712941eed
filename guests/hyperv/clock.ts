import { asm, defineCases, type DriveContext } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

interface Row {
  /** The register that the guest reads until it has moved. */
  index: number;
  /** What the host finds in it. */
  check: (context: DriveContext, read: () => bigint) => void;
}

const rows: Record<string, Row> = {
  // The VM's clock, in units of 100 ns.
  "reference-time": {
    index: 0x40000020,
    check: ({ vm, assertEquals }, read) => {
      const before = vm.clock().clock / 100n;
      const time = read();
      const after = vm.clock().clock / 100n;
      assertEquals("between the clock and the clock", before <= time && time <= after, true);
    },
  },
  "run-time": {
    index: 0x40000010,
    check: ({ assertEquals }, read) => assertEquals("it does not go back", read() <= read(), true),
  },
};

/** Synthetic registers that count time: they move, and in their unit. */
export default defineCases("hyperv/clock", rows, ({ index, check }) => ({
  spec: [
    "TLFS 12.5: partition reference counter; 7.8.2: virtual processor run time",
    "KVM API 4.29: KVM_GET_CLOCK",
  ],
  mode: "long",
  irqchip: "kernel",
  requires,
  registers: { rcx: BigInt(index) },
  ...underHyperv({
    guest: asm`
      rdmsr
      mov ebx, eax
      again:
      rdmsr
      cmp eax, ebx
      je again
      xor eax, eax
      xor ebx, ebx
      xor edx, edx
      out 0xf4, al
    `,
    trace: `
      pio out 0xf4 u8 0x0
      = rflags 0x46
    `,
  }, (context) => {
    context.run();
    check(context, () => context.vcpu.msrs([index])[0].data);
  }),
}));
