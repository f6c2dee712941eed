import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  ArgumentError,
  bitNames,
  type CpuidBit,
  cpuidFeatures,
  cpuidLeaves,
  CR0,
  CR4,
  DR6,
  DR7,
  EFER,
  Kvm,
  msrName,
  msrs,
  RFLAGS,
  XCR0,
} from "../mod.ts";
import { kvmTest } from "./host.ts";

Deno.test("no two MSRs share a name or an index, and rows have their numbers", () => {
  const indices = Object.values(msrs);
  assertEquals(new Set(indices).size, indices.length);
  for (const [name, index] of Object.entries(msrs)) assertEquals(msrName(index), name);
  assertEquals([0x186, 0x188, 0x20e, 0x20f, 0x47f, 0xc0010203].map(msrName), [
    "IA32_PERFEVTSEL0",
    "IA32_PERFEVTSEL2",
    "IA32_MTRR_PHYSBASE7",
    "IA32_MTRR_PHYSMASK7",
    "IA32_MC31_MISC",
    "PERF_CTR1",
  ]);
  assertEquals(msrName(0xdead), "0xdead");
  assertThrows(() => msrName(-1), ArgumentError, "the index of an MSR is -1");
});

kvmTest("every MSR that this KVM saves, and every feature MSR, has a name", () => {
  using kvm = Kvm.open();
  const all = [...kvm.msrIndexList(), ...kvm.msrFeatureIndexList()];
  assertEquals(all.map(msrName).filter((name) => name.startsWith("0x")), []);
});

kvmTest("every CPUID leaf in which this KVM tells something has a name", () => {
  using kvm = Kvm.open();
  const telling = kvm.supportedCpuid().filter(({ eax, ebx, ecx, edx }) =>
    (eax | ebx | ecx | edx) !== 0
  );
  const nameless = telling.filter((leaf) => cpuidLeaves[leaf.function] === undefined);
  assertEquals(nameless.map((leaf) => leaf.function.toString(16)), []);
});

Deno.test("no two CPUID features are one bit, and each is in a leaf that has a name", () => {
  const places = Object.values(cpuidFeatures as Record<string, CpuidBit>);
  assertEquals(new Set(places.map(String)).size, places.length);
  for (const [leaf, , , bit] of places) {
    assert(leaf in cpuidLeaves, leaf.toString(16));
    assert(bit >= 0 && bit < 32);
  }
});

Deno.test("bits are named, lowest first, and what has no name is one number", () => {
  assertEquals(bitNames(CR0, 0x80000031n), ["PE", "ET", "NE", "PG"]);
  assertEquals(bitNames(EFER, 0xd01n), ["SCE", "LME", "LMA", "NXE"]);
  assertEquals(bitNames(CR4, 0n), []);
  assertEquals(bitNames(RFLAGS, 0x3002n), ["FIXED", "IOPL"]);
  assertEquals(bitNames(DR6, 0xffff4ff0n), ["BLD", "BS", "RTM", "0xfffe07f0"]);
  assertEquals(bitNames(DR7, 0x401n), ["L0", "0x400"]);
  assertEquals(bitNames(XCR0, 0xe7n), ["X87", "SSE", "AVX", "OPMASK", "ZMM_HI256", "HI16_ZMM"]);
});

Deno.test("names are words that a trace and a message can hold", () => {
  for (const name of Object.keys(cpuidFeatures)) assertMatch(name, /^[A-Z0-9][A-Z0-9-]*$/);
  for (const name of Object.keys(msrs)) assertMatch(name, /^[A-Z0-9_]+$/);
});
