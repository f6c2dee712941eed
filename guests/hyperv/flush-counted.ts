import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { header, identify, repetitions, words } from "./_words.ts";

interface Row {
  input: bigint;
  memory: readonly bigint[];
  /** The processor's index, 0 unless the host gives it another. */
  index?: bigint;
  /** Whether the set has this processor. */
  flushed: boolean;
}

const [SPACE, LIST, SPACE_EX, LIST_EX] = [2n, 3n, 0x13n, 0x14n];
const [NONE, ALL_PROCESSORS] = [0n, 1n];
const [SPARSE, EVERY] = [0n, 1n];
const page = 0xa000n;

const rows: Record<string, Row> = {
  "space": { input: SPACE, memory: [0n, NONE, 1n], flushed: true },
  "space-another": { input: SPACE, memory: [0n, NONE, 2n], flushed: false },
  "space-all": { input: SPACE, memory: [0n, ALL_PROCESSORS, 2n], flushed: true },
  "space-index": { input: SPACE, memory: [0n, NONE, 0x20n], index: 5n, flushed: true },
  "space-index-another": { input: SPACE, memory: [0n, NONE, 1n], index: 5n, flushed: false },
  "list": { input: LIST | repetitions(2), memory: [0n, NONE, 1n, page, page], flushed: true },
  "list-another": { input: LIST | repetitions(1), memory: [0n, NONE, 2n, page], flushed: false },
  "list-of-many": {
    input: LIST | repetitions(20),
    memory: [0n, NONE, 1n, ...Array<bigint>(20).fill(page)],
    flushed: true,
  },
  "set": { input: SPACE_EX | header(1), memory: [0n, NONE, SPARSE, 1n, 1n], flushed: true },
  "set-another": {
    input: SPACE_EX | header(1),
    memory: [0n, NONE, SPARSE, 1n, ~1n],
    flushed: false,
  },
  "set-another-word": {
    input: SPACE_EX | header(1),
    memory: [0n, NONE, SPARSE, 2n, 1n],
    flushed: false,
  },
  "set-of-all": { input: SPACE_EX, memory: [0n, NONE, EVERY, 0n], flushed: true },
  "set-empty": { input: SPACE_EX, memory: [0n, NONE, SPARSE, 0n], flushed: false },
  "set-index": {
    input: SPACE_EX | header(2),
    memory: [0n, NONE, SPARSE, 5n, 0n, 2n],
    index: 129n,
    flushed: true,
  },
  "set-index-another": {
    input: SPACE_EX | header(2),
    memory: [0n, NONE, SPARSE, 5n, 2n, 1n],
    index: 129n,
    flushed: false,
  },
  "set-list": {
    input: LIST_EX | header(1) | repetitions(1),
    memory: [0n, NONE, SPARSE, 1n, 1n, page],
    flushed: true,
  },
};

/** A flush of the TLB of this processor is counted among its statistics; that of another is not. */
export default defineCases("hyperv/flush-counted", byEachCall(rows), ({ row, call }) => {
  const { input, memory, index, flushed } = row;
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  return {
    spec: [
      "TLFS 9.4: HvCallFlushVirtualAddressSpace(Ex), HvCallFlushVirtualAddressList(Ex)",
      "TLFS 7.8.7.3: processor sets",
      "KVM API 4.133: KVM_GET_STATS_FD",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, "KVM_CAP_BINARY_STATS_FD" as const, call.requires],
    withoutLens: { restore: "statistics are of the VM that is destroyed" },
    ...underHyperv({
      guest: asm`
        ${identify}
        mov rcx, ${input}
        mov edx, 0xb000
        out 0x10, al
        out 0x10, al
        ${call.instruction}
        out 0xf4, al
      `,
      trace: `
        ${index === undefined ? "" : `> set-msrs msr.0x40000002=${hex(index)} -> 0x1`}
        pio out 0x10 u8 0x1
        pio out 0x10 u8 0x1
        pio out 0xf4 u8 0x0
        = rax ${hex(input & 0xfff00000000n)}
        = rcx ${hex(input)}
        = rdx 0xb000
      `,
    }, ({ vcpu, run, write, assertEquals }) => {
      using statistics = vcpu.statistics();
      const count = () => statistics.read().get("tlb_flush")?.[0] ?? 0n;
      if (index !== undefined) vcpu.setMsrs([{ index: 0x40000002, data: index }]);
      write(0xb000, words(...memory.map((word) => BigInt.asUintN(64, word))));
      run();
      run();
      const before = count();
      run();
      assertEquals("it was flushed", count() > before, flushed);
    }),
  };
});
