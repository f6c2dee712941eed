/** Trapline in somebody else's tests: a folder without its configuration, importing mod.ts alone. */
import { assertEquals, assertMatch } from "@std/assert";
import { kvmTest, type Outcome, projectRoot, runDeno, TemporaryFolder } from "./host.ts";

const mod = new URL("mod.ts", projectRoot).href;

/** Runs test files by name in a folder of their own, with no more permissions than they need. */
async function runTests(files: Record<string, string>, ...flags: string[]): Promise<Outcome> {
  using folder = new TemporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    folder.write(`${name}.test.ts`, text.replace("TRAPLINE", mod));
  }
  return await runDeno(["test", "--no-lock", "--allow-ffi", "--allow-read", ...flags], {
    cwd: folder.path,
  });
}

/** A case becomes a test. */
const asTest = `
    import { asm, defineCase, testCases } from "TRAPLINE";

    testCases(defineCase({
      id: "mine/echo",
      spec: "my device, section 3",
      mode: "protected",
      guest: asm\`
        in al, 0x10
        out 0x11, al
        hlt
      \`,
      trace: \`
        pio in 0x10 u8 -> 0x41
        pio out 0x11 u8 0x41
        hlt
        = rax 0x41
      \`,
    }));
`;

/** A host judges a case inside a test. */
const byHost = `
    import { asm, type CaseResult, defineCase, LocalHost } from "TRAPLINE";

    Deno.test("halts", async () => {
      using host = LocalHost.open();
      const result: CaseResult = await host.run(defineCase({
        id: "mine/halt",
        spec: "SDM 2A: HLT",
        mode: "long",
        guest: asm\`hlt\`,
        trace: "hlt",
      }));
      if (result.verdict !== "pass") throw new Error(result.reason);
    });
`;

/** No suite at all. */
const byHand = `
    import { assemble, type Exit, Kvm, KvmError, Watchdog } from "TRAPLINE";

    Deno.test("counts", () => {
      using kvm = Kvm.open();
      using vm = kvm.createVm();
      const ram = vm.memory.addRam(0, 0x1000);
      ram.bytes.set(assemble("mov al, 3\\nnext: out 0x10, al\\ndec al\\njnz next\\njmp $", { bits: 16 }).bytes);
      using vcpu = vm.createVcpu();
      const sregs = vcpu.sregs();
      vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
      vcpu.setRegs({ ...vcpu.regs(), rip: 0n });
      using watchdog = new Watchdog();
      watchdog.arm(100);
      const values: number[] = [];
      let exit: Exit;
      while ((exit = vcpu.run()).reason === "pio") values.push(...exit.values);
      if (values.join() !== "3,2,1") throw new Error(values.join());
      if (exit.reason !== "intr" || exit.cause !== "deadline") throw new Error(exit.reason);
      try {
        vm.createVcpu(0);
        throw new Error("a second vCPU 0");
      } catch (error) {
        if (!(error instanceof KvmError && error.code === "EEXIST")) throw error;
      }
    });
`;

kvmTest("a project runs guests under Deno.test, with its types checked", async () => {
  const files = { as_test: asTest, by_host: byHost, by_hand: byHand };
  const { code, stdout, stderr } = await runTests(files, "--check");
  assertEquals(code, 0, stdout + stderr);
  assertMatch(stdout, /mine\/echo \.\.\. ok/);
  assertMatch(stdout, /3 passed \| 0 failed/);
});

kvmTest("a guest that misbehaves fails with the difference and the guest's line", async () => {
  const wrong = asTest.replace("in al, 0x10", "mov al, 0x42").replace(/pio in .*/, "");
  const { code, stdout } = await runTests({ wrong }, "--no-check");
  assertEquals(code, 1);
  assertMatch(stdout, /FAIL mine\/echo {2}protected mode\n/);
  assertMatch(stdout, /expected `pio out 0x11 u8 0x41`, got `pio out 0x11 u8 0x42`\n/);
  assertMatch(stdout, /promised by my device, section 3\n/);
  assertMatch(stdout, /8000 {2}b0 42 +mov al, 0x42 +; 2: mov al, 0x42\n/);
});
