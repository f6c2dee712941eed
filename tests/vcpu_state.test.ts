/** The state of a vCPU through its typed calls: what is refused before KVM is asked, and by KVM. */
import { assertEquals, assertThrows } from "@std/assert";
import { LayoutError } from "../ffi/abi/layout.ts";
import { KvmError } from "../src/kvm/error.ts";
import type { PioExit } from "../src/kvm/exit.ts";
import type { RegisterSet } from "../src/kvm/shared_registers.ts";
import type { Vcpu } from "../src/kvm/vcpu.ts";
import { kvmTest } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

/** Values of a wrong type are what this is about. */
// deno-lint-ignore no-explicit-any
type Any = any;

const misuse: Record<string, (vcpu: Vcpu) => unknown> = {
  "interrupt(-1)": (vcpu) => vcpu.interrupt(-1),
  "interrupt(1.5)": (vcpu) => vcpu.interrupt(1.5),
  "interrupt(32n)": (vcpu) => vcpu.interrupt(32n as Any),
  "setMpState(-1)": (vcpu) => vcpu.setMpState(-1),
  "setTscKhz(-1)": (vcpu) => vcpu.setTscKhz(-1),
  "setTscKhz(2^31)": (vcpu) => vcpu.setTscKhz(2 ** 31),
  "setTscKhz(NaN)": (vcpu) => vcpu.setTscKhz(NaN),
  "setTscOffset(number)": (vcpu) => vcpu.setTscOffset(1 as Any),
  "setTscOffset(2^64)": (vcpu) => vcpu.setTscOffset(1n << 64n),
  "translate(number)": (vcpu) => vcpu.translate(0 as Any),
  "translate(-1n)": (vcpu) => vcpu.translate(-1n),
  "oneRegister(number)": (vcpu) => vcpu.oneRegister(1 as Any),
  "setOneRegister(1n, 2^64)": (vcpu) => vcpu.setOneRegister(1n, 1n << 64n),
  "setXsave(short)": (vcpu) => vcpu.setXsave(new Uint8Array(100)),
  "setXsave(array)": (vcpu) => vcpu.setXsave([] as Any),
  "setLapic(short)": (vcpu) => vcpu.setLapic(new Uint8Array(1023)),
  "setNestedState(short)": (vcpu) => {
    vcpu.setNestedState({ flags: 0, format: 0, data: new Uint8Array(119) });
  },
  "setXcrs(17)": (vcpu) => vcpu.setXcrs(Array(17).fill({ xcr: 0, value: 1n })),
  "setXcrs(nothing)": (vcpu) => vcpu.setXcrs(undefined as Any),
  "setXcrs(number)": (vcpu) => vcpu.setXcrs([{ xcr: 0, value: 1 as Any }]),
  "setFpu({})": (vcpu) => vcpu.setFpu({} as Any),
  "setSregs2({})": (vcpu) => vcpu.setSregs2({} as Any),
  "setVapicAddress(number)": (vcpu) => vcpu.setVapicAddress(1 as Any),
  "setupMce(number)": (vcpu) => vcpu.setupMce(1 as Any),
  "setMce({})": (vcpu) => vcpu.setMce({} as Any),
  "setMce(bank 256)": (vcpu) => {
    vcpu.setMce({ bank: 256, status: 0n, addr: 0n, misc: 0n, mcg_status: 0n });
  },
  "enableCapability(unknown)": (vcpu) => vcpu.enableCapability("KVM_CAP_NONE" as Any),
  "enableCapability(5 arguments)": (vcpu) => {
    vcpu.enableCapability("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", 1, 2, 3, 4, 5);
  },
  "enableCapability(-1)": (vcpu) => {
    vcpu.enableCapability("KVM_CAP_ENFORCE_PV_FEATURE_CPUID", -1);
  },
  "setGuestDebug(5 addresses)": (vcpu) => {
    vcpu.setGuestDebug({ hardwareBreakpoints: { addresses: [1n, 2n, 3n, 4n, 5n], dr7: 0n } });
  },
  "shared.store(unknown)": (vcpu) => vcpu.shared.store(["fpu" as RegisterSet]),
  "shared.setRegs({})": (vcpu) => vcpu.shared.setRegs({} as Any),
};

kvmTest("what no KVM could take is refused before it is asked", async (t) => {
  using guest = new RealModeVm("hlt");
  const vcpu = guest.vcpu();
  for (const [name, call] of Object.entries(misuse)) {
    await t.step(name, () => {
      assertThrows(() => call(vcpu), LayoutError);
    });
  }
  assertEquals(vcpu.shared.dirty, []);
  assertEquals(vcpu.run().reason, "hlt");
});

const refused: [what: string, (vcpu: Vcpu) => unknown, call: string, code: string, why: RegExp][] =
  [
    ["interrupt", (vcpu) => vcpu.interrupt(256), "KVM_INTERRUPT", "EINVAL", /above 255/],
    ["lapic", (vcpu) => vcpu.lapic(), "KVM_GET_LAPIC", "EINVAL", /local APIC is not in the kernel/],
    ["MCE", (vcpu) => vcpu.setupMce(0n), "KVM_X86_SETUP_MCE", "EINVAL", /number of banks/],
    [
      "XCR0",
      (vcpu) => vcpu.setXcrs([{ xcr: 0, value: 0n }]),
      "KVM_SET_XCRS",
      "EINVAL",
      /XSETBV/,
    ],
    ["mp-state", (vcpu) => vcpu.setMpState(3), "KVM_SET_MP_STATE", "EINVAL", /local APIC/],
  ];

for (const [what, act, call, code, why] of refused) {
  kvmTest(`KVM's refusal names the ioctl, the errno and the cause: ${what}`, () => {
    using guest = new RealModeVm("hlt");
    const error = assertThrows(() => act(guest.vcpu()), KvmError);
    assertEquals(
      [error.call, error.code, why.test(error.message)],
      [call, code, true],
      error.message,
    );
  });
}

kvmTest("complete does what is pending, and does not enter", () => {
  using guest = new RealModeVm("in al, 0x10\n out 0x11, al\n hlt");
  using vcpu = guest.vcpu();
  assertEquals(vcpu.complete(), undefined, "nothing is pending before the first entry");
  assertEquals(vcpu.regs().rip, 0x1000n);
  vcpu.run();
  assertEquals(vcpu.unanswered?.reason, "pio");
  vcpu.answer(0x41);
  assertEquals(vcpu.unanswered, undefined);
  assertEquals(vcpu.complete(), undefined);
  assertEquals([vcpu.regs().rax & 0xffn, vcpu.regs().rip], [0x41n, 0x1002n]);
  assertEquals((vcpu.run() as PioExit).values, [0x41]);
});

kvmTest("complete takes no kick and leaves immediate exit as it is", () => {
  using guest = new RealModeVm("out 0x11, al\n hlt");
  using vcpu = guest.vcpu();
  vcpu.kick();
  assertEquals(vcpu.complete(), undefined);
  assertEquals(vcpu.immediateExit, false);
  assertEquals(vcpu.run(), { reason: "intr", cause: "kick" });
  vcpu.immediateExit = true;
  assertEquals(vcpu.complete(), undefined);
  assertEquals(vcpu.immediateExit, true);
});

kvmTest("complete gives the next part of an access that comes in several", () => {
  // Two bytes of one device and two beyond the end of the address space's page: two exits.
  using guest = new RealModeVm("mov ax, 0x2000\n mov es, ax\n mov eax, [es:0x0ffe]\n hlt");
  using vcpu = guest.vcpu();
  const first = vcpu.run();
  assertEquals(first.reason, "mmio");
  vcpu.answer(0x1111);
  let parts = 1;
  for (let exit = vcpu.complete(); exit !== undefined; exit = vcpu.complete()) {
    assertEquals(exit.reason, "mmio");
    vcpu.answer(0x2222);
    parts++;
  }
  assertEquals(parts, 2);
  assertEquals(vcpu.regs().rax, 0x22221111n);
});

kvmTest("registers go through the shared area, and only those that are marked", () => {
  using guest = new RealModeVm("out 0x10, al\n hlt");
  using vcpu = guest.vcpu();
  vcpu.shared.store(["regs", "events"]);
  assertEquals(vcpu.shared.stored, ["regs", "events"]);
  vcpu.shared.setRegs({ ...vcpu.regs(), rax: 0x77n });
  assertEquals(vcpu.shared.dirty, ["regs"]);
  assertEquals((vcpu.run() as PioExit).values, [0x77]);
  assertEquals(vcpu.shared.dirty, []);
  assertEquals(vcpu.shared.regs(), vcpu.regs());
  assertEquals(vcpu.shared.events(), vcpu.events());
});
