import { assertEquals } from "@std/assert";
import { exitDetails, exitReasons } from "../ffi/abi/exits.ts";
import { kvm_run, kvm_run_io, kvm_run_mmio } from "../ffi/abi/run.ts";
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

Deno.test("an exit reason that is not known is kept as its number", () => {
  assertEquals(decodeExit(area(0x7fff)), {
    reason: "unknown",
    exitReason: 0x7fff,
    hardwareReason: 0n,
  });
});
