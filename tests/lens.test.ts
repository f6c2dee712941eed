/** Cases under lenses: the trace stays the same, and what cannot says why. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Kvm } from "../src/kvm/kvm.ts";
import { SharedRegisters } from "../src/kvm/shared_registers.ts";
import type { Vm } from "../src/kvm/vm.ts";
import { defineCase } from "../src/suite/case.ts";
import { lensNames } from "../src/suite/lens.ts";
import { LocalHost } from "../src/suite/local_host.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { kvmTest, projectRoot, runDeno } from "./host.ts";

const talking = defineCase({
  id: "lens/talking",
  spec: "KVM API 5: KVM_EXIT_IO",
  mode: "long",
  registers: { rsi: 0xd0000000n },
  guest: asm`
    in al, 0x20
    mov ebx, [rsi]
    inc al
    out 0x10, al
    hlt
  `,
  trace: `
    pio in 0x20 u8 -> 0x42
    mmio read 0xd0000000 u32 -> 0x12345678
    pio out 0x10 u8 0x43
    hlt
    = rax 0x43
    = rbx 0x12345678
  `,
});

/** Counts the calls of a method while `body` runs. */
async function counted<T extends object>(
  target: T,
  method: keyof T,
  body: () => Promise<void>,
): Promise<number> {
  const original = target[method];
  let calls = 0;
  target[method] = function (this: T, ...args: unknown[]) {
    calls++;
    return (original as (...args: unknown[]) => unknown).apply(this, args);
  } as T[keyof T];
  try {
    await body();
  } finally {
    target[method] = original;
  }
  return calls;
}

kvmTest("restore makes a new VM before each entry and at the end", async () => {
  using host = LocalHost.open({ lens: "restore" });
  const renewals = await counted(Kvm.prototype, "renew", async () => {
    const { verdict, reason } = await host.run(talking);
    assertEquals([verdict, reason], ["pass", undefined]);
  });
  assertEquals(renewals, 5);
});

kvmTest("sync-regs sets the registers of each entry through the shared area", async () => {
  using host = LocalHost.open({ lens: "sync-regs" });
  const loads = await counted(SharedRegisters.prototype, "setRegs", async () => {
    const { verdict, reason } = await host.run(talking);
    assertEquals([verdict, reason], ["pass", undefined]);
  });
  // An entry that only brings the next part of an access would set none: here each one does.
  assertEquals(loads, 4);
});

for (const lens of lensNames) {
  kvmTest(`a wrong trace is as wrong under ${lens}`, async () => {
    using host = LocalHost.open({ lens });
    const wrong = defineCase({ ...talking, trace: "pio in 0x20 u8 -> 0x42\nhlt" });
    const { verdict, reason } = await host.run(wrong);
    assertEquals(verdict, "fail");
    assertMatch(reason!, /expected `hlt`, got `mmio read 0xd0000000 u32/);
  });

  kvmTest(`a case says why it is not judged under ${lens}`, async () => {
    const without = defineCase({ ...talking, withoutLens: { [lens]: "it is only a test" } });
    using host = LocalHost.open({ lens });
    const { verdict, reason } = await host.run(without);
    assertEquals([verdict, reason], ["skip", `lens ${lens}: it is only a test`]);
    using plain = LocalHost.open();
    assertEquals((await plain.run(without)).verdict, "pass");
  });

  kvmTest(`vCPUs that run beside each other are not judged under ${lens}`, async () => {
    using host = LocalHost.open({ lens });
    const beside = defineCase({
      ...talking,
      guest: asm`
        hlt
        vcpu1: hlt
      `,
      vcpus: 2,
      trace: "0: hlt\n1: hlt",
    });
    const { verdict, reason } = await host.run(beside);
    assertEquals(verdict, "skip");
    assertStringIncludes(reason!, `lens ${lens}: its vCPUs run beside each other`);
  });
}

kvmTest(
  "what the host does between two exits is recorded once, and outlives a restore",
  async () => {
    using host = LocalHost.open({ lens: "restore" });
    const driven = defineCase({
      id: "lens/driven",
      spec: "KVM API 4.32: KVM_SET_VCPU_EVENTS",
      mode: "real",
      handlers: { 2: "nmi" },
      guest: asm`
      out 0x10, al
      out 0x11, al
      hlt
      nmi:
      inc bx
      iret
    `,
      drive({ vm, vcpu, run }: { vm: Vm; vcpu: { nmi(): void }; run: () => unknown }) {
        run();
        vm.memory.addRam(0x100000, 0x1000);
        vcpu.nmi();
      },
      trace: `
      pio out 0x10 u8 0x0
      > slot 0x1 gpa=0x100000 size=0x1000
      > nmi
      pio out 0x11 u8 0x0
      hlt
      = rbx 0x1
      = mem 0x7ffa u16 [* 0x0 0x2]
    `,
    });
    const { verdict, reason } = await host.run(driven);
    assertEquals([verdict, reason], ["pass", undefined]);
  },
);

Deno.test("conform --lens with no such lens is wrong usage, in a sentence", async () => {
  const main = new URL("src/cli/main.ts", projectRoot).pathname;
  const args = ["run", "--allow-all", "--no-check", main, "conform", "--lens", "rose"];
  const { code, stdout, stderr } = await runDeno(args);
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^--lens rose is no lens: restore, sync-regs; see [^\n]+\n$/);
});
