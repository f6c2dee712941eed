/** How many leaves KVM_GET_CPUID2 gave, whichever Linux answers. */
import { assertEquals, assertLess } from "@std/assert";
import { CPUID_BYTES, decodeCpuid, keptCpuid } from "../src/kvm/cpuid_buffer.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import type { CpuidEntry } from "../src/x86/state.ts";
import { kvmTest } from "./host.ts";

const HEADER = 8;
const ENTRY = 40;

/** A leaf's registers, all of which may be 0. */
function leaf(number: number, registers: readonly number[]): CpuidEntry {
  const [eax, ebx, ecx, edx] = registers;
  return { function: number, index: 0, flags: 0, eax, ebx, ecx, edx };
}

const leaves = [
  leaf(0, [1, 0x756e6547, 0x6c65746e, 0x49656e69]),
  leaf(1, [0x306c1, 0, 1, 0xffffffff]),
  // The last two look like memory that nobody wrote.
  leaf(0, [0, 0, 0, 0]),
  leaf(0, [0, 0, 0, 0]),
];

/** Writes leaves as KVM does; what is behind them stays. */
function answer(bytes: Uint8Array<ArrayBuffer>, written: readonly CpuidEntry[]): void {
  const view = new DataView(bytes.buffer);
  assertEquals(view.getUint32(0, true), 256, "KVM is told the room");
  written.forEach((entry, position) => {
    const { function: number, index, flags, eax, ebx, ecx, edx } = entry;
    [number, index, flags, eax, ebx, ecx, edx, 0, 0, 0].forEach((word, at) => {
      view.setUint32(HEADER + position * ENTRY + 4 * at, word, true);
    });
  });
}

for (
  const [kernel, count] of [
    ["6.1, which writes no count back", undefined],
    ["6.12, which writes the count back", leaves.length],
  ] as const
) {
  Deno.test(`the leaves of a vCPU are counted on Linux ${kernel}`, () => {
    const bytes = new Uint8Array(CPUID_BYTES);
    // What a vCPU with more leaves left in the buffer counts for nothing.
    bytes.fill(0x31);
    const kept = keptCpuid(bytes, () => {
      answer(bytes, leaves);
      if (count !== undefined) new DataView(bytes.buffer).setUint32(0, count, true);
    });
    assertEquals(kept.length, HEADER + leaves.length * ENTRY);
    assertEquals(decodeCpuid(kept), leaves);
  });
}

Deno.test("a vCPU without leaves, and one with as many as there is room for", () => {
  const bytes = new Uint8Array(CPUID_BYTES);
  assertEquals(decodeCpuid(keptCpuid(bytes, () => answer(bytes, []))), []);
  const all = Array.from({ length: 256 }, (_, number) => leaf(number, [1, 2, 3, 4]));
  assertEquals(decodeCpuid(keptCpuid(bytes, () => answer(bytes, all))), all);
});

kvmTest("a saved vCPU has the leaves that it has, and no more", () => {
  using kvm = Kvm.open();
  using vm = kvm.createVm();
  const vcpu = vm.createVcpu();
  vcpu.setCpuid(kvm.supportedCpuid().slice(0, 3));
  const saved = decodeCpuid(Uint8Array.fromBase64(vm.save().vcpus[0].cpuid));
  assertEquals(saved, vcpu.cpuid());
  // A host may add leaves of its own, but not so many.
  assertLess(saved.length, 100);
});
