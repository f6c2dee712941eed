import { assertEquals } from "@std/assert";
import { encodeGuestDebug, guestDebugOperands } from "../src/kvm/guest_debug.ts";

Deno.test("what is debugged becomes control bits and debug registers", () => {
  const view = encodeGuestDebug({
    singleStep: true,
    softwareBreakpoints: true,
    hardwareBreakpoints: { addresses: [0x10n, 0x11n, 0x12n, 0xffff_8000_0000_0013n], dr7: 0x4ffn },
  });
  // ENABLE, SINGLESTEP, USE_SW_BP and USE_HW_BP of linux/kvm.h and asm/kvm.h.
  assertEquals(view.getUint32(0, true), 0x30003);
  const registers = Array.from({ length: 8 }, (_, index) => view.getBigUint64(8 + 8 * index, true));
  assertEquals(registers, [0x10n, 0x11n, 0x12n, 0xffff_8000_0000_0013n, 0n, 0n, 0n, 0x4ffn]);
});

Deno.test("nothing to debug, and an injection alone, leave debugging off", () => {
  assertEquals(encodeGuestDebug({}).getUint32(0, true), 0);
  assertEquals(encodeGuestDebug({ inject: "db" }).getUint32(0, true), 0x40000);
  assertEquals(encodeGuestDebug({ inject: "bp" }).getUint32(0, true), 0x80000);
});

Deno.test("the trace tells what is debugged", () => {
  assertEquals(guestDebugOperands({}), ["off"]);
  assertEquals(guestDebugOperands({ singleStep: true, inject: "bp" }), [
    "single-step",
    "inject-bp",
  ]);
});
