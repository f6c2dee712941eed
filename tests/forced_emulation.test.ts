import { assertEquals } from "@std/assert";
import { ForcedEmulation } from "../src/cli/forced_emulation.ts";
import { kvmTest, runDeno, TemporaryFolder } from "./host.ts";

/** A parameter's file, with what it holds. */
function parameterFile(folder: TemporaryFolder, value: string): string {
  const path = `${folder.path}/force_emulation_prefix`;
  Deno.writeTextFileSync(path, `${value}\n`);
  return path;
}

for (const backend of ["svm", "vmx"] as const) {
  Deno.test(`guests of ${backend} may ask for emulation while the run lasts`, () => {
    using folder = new TemporaryFolder();
    const path = parameterFile(folder, "0");
    {
      using _forced = new ForcedEmulation(backend, path, folder.path);
      assertEquals(Deno.readTextFileSync(path), "1");
    }
    assertEquals(Deno.readTextFileSync(path), "0");
  });
}

Deno.test("what is set already stays, and so does a host that emulates every guest", () => {
  using folder = new TemporaryFolder();
  for (const [backend, value] of [["svm", "1"], ["svm", "Y"], ["pvm", "0"]] as const) {
    const path = parameterFile(folder, value);
    {
      using _forced = new ForcedEmulation(backend, path, folder.path);
      assertEquals(Deno.readTextFileSync(path), `${value}\n`);
    }
    assertEquals(Deno.readTextFileSync(path), `${value}\n`);
  }
});

Deno.test("a parameter that cannot be set is left alone", () => {
  using _forced = new ForcedEmulation("svm", "/proc/version");
  using _none = new ForcedEmulation("svm", "/nowhere");
});

kvmTest("nothing is set while another process has a VM", async () => {
  using folder = new TemporaryFolder();
  const path = parameterFile(folder, "0");
  const script = `${folder.path}/test.ts`;
  const source = new URL("../src/cli/forced_emulation.ts", import.meta.url);
  // This process has the VM, and the child looks.
  const { Kvm } = await import("../src/kvm/kvm.ts");
  Deno.writeTextFileSync(
    script,
    `import { ForcedEmulation } from "${source}";
     using _ = new ForcedEmulation("svm", "${path}");
     console.log(Deno.readTextFileSync("${path}").trim());`,
  );
  using kvm = Kvm.open();
  const vm = kvm.createVm();
  assertEquals((await runDeno(["run", "--allow-all", script])).stdout, "0\n");
  vm[Symbol.dispose]();
});
