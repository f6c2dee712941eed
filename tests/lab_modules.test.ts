import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Cache } from "../ci/lab/cache.ts";
import { LabError } from "../ci/lab/error.ts";
import type { Kernel } from "../ci/lab/kernel.ts";
import { labModules, type Module, parseModule, routeParameters } from "../ci/lab/modules.ts";
import { TemporaryFolder } from "./host.ts";
import { gzip, moduleFile, toolTest } from "./lab_files.ts";

const release = "6.9.0-test";
const vermagic = `${release} SMP preempt mod_unload `;

const modules = {
  "virt/lib/irqbypass.ko": moduleFile({ name: "irqbypass", depends: "", vermagic }),
  "arch/x86/kvm/kvm.ko": moduleFile({
    name: "kvm",
    depends: "irqbypass",
    vermagic,
    parmtype: "tdp_mmu:bool",
  }),
  "arch/x86/kvm/kvm-amd.ko": moduleFile({
    name: "kvm_amd",
    depends: "kvm",
    vermagic,
    parmtype: "npt:bool",
  }),
};

/** A kernel, its modules and a cache in a folder. */
class Tree extends TemporaryFolder {
  readonly cache = new Cache(`${this.path}/cache`);
  constructor(files: Readonly<Record<string, Uint8Array>> = modules) {
    super();
    for (const [name, bytes] of Object.entries(files)) this.put(name, bytes);
  }
  put(name: string, bytes: Uint8Array): string {
    const path = this.write(`tree/${name}`, "");
    Deno.writeFileSync(path, bytes);
    return path;
  }
  get tree(): string {
    return `${this.path}/tree`;
  }
  kernel(own = false): Kernel {
    const modules = own ? this.tree : undefined;
    return { release, series: "6.9", bzImage: "/boot/bzImage", vmlinux: "", modules };
  }
  load(...sources: string[]): Promise<Module[]> {
    return labModules(this.cache, this.kernel(), "kvm_amd", sources);
  }
}

const names = (modules: readonly Module[]) => modules.map(({ name }) => name);

Deno.test("a module says what it is, for which kernel, and what it needs", () => {
  const bytes = moduleFile({
    name: "kvm_amd",
    depends: "kvm,ccp-x",
    vermagic,
    parmtype: "npt:bool",
  });
  assertEquals(parseModule("kvm-amd.ko", bytes), {
    name: "kvm_amd",
    release,
    depends: ["kvm", "ccp_x"],
    parameters: ["npt"],
  });
  const old = moduleFile({ vermagic });
  assertEquals(parseModule("some/kvm-amd.ko.xz", old).name, "kvm_amd");
});

Deno.test("what is no module is said so", () => {
  const parse = (bytes: Uint8Array<ArrayBuffer>) => () => parseModule("x.ko", bytes);
  assertThrows(parse(new Uint8Array(9)), LabError, "x.ko is no kernel module: it is not an ELF");
  const other = moduleFile({ name: "x" });
  assertThrows(parse(other), LabError, "x.ko is no kernel module: it does not say for which");
});

toolTest("modules come in the order in which they can be loaded", ["objcopy"], async () => {
  using tree = new Tree();
  assertEquals(names(await tree.load(tree.tree)), ["irqbypass", "kvm", "kvm_amd"]);
  const files = Object.keys(modules).map((name) => `${tree.tree}/${name}`);
  assertEquals(names(await tree.load(...files)), ["irqbypass", "kvm", "kvm_amd"]);
});

toolTest("modules are found wherever they are in a tree, packed or not", ["objcopy"], async () => {
  const [irqbypass, kvm, amd] = Object.values(modules);
  using tree = new Tree({
    "deep/down/irqbypass.ko": irqbypass,
    "kernel/arch/x86/kvm/kvm.ko.gz": await gzip(kvm),
    "kvm-amd.ko": amd,
    ".git/kvm-amd.ko": new Uint8Array(),
  });
  assertEquals(names(await tree.load(tree.tree)), ["irqbypass", "kvm", "kvm_amd"]);
});

toolTest("what is given comes before the kernel's own modules", ["objcopy"], async () => {
  using tree = new Tree();
  const parmtype = "mine:bool";
  const own = moduleFile({ name: "kvm_amd", depends: "kvm", vermagic, parmtype });
  const path = tree.write("given/kvm-amd.ko", "");
  Deno.writeFileSync(path, own);
  const loaded = await labModules(tree.cache, tree.kernel(true), "kvm_amd", [path]);
  assertEquals(names(loaded), ["irqbypass", "kvm", "kvm_amd"]);
  assertEquals(loaded.map(({ parameters }) => parameters), [[], ["tdp_mmu"], ["mine"]]);
});

toolTest("a module of another version is named with both", ["objcopy"], async () => {
  const other = moduleFile({ name: "kvm", depends: "", vermagic: "6.8.12 SMP " });
  using tree = new Tree({ ...modules, "arch/x86/kvm/kvm.ko": other });
  await assertRejects(
    () => tree.load(tree.tree),
    LabError,
    `${tree.tree}/arch/x86/kvm/kvm.ko was built for the kernel 6.8.12, and /boot/bzImage is 6.9.0-test`,
  );
});

Deno.test("a module that is missing is named, with where it was looked for", async () => {
  using tree = new Tree({ "arch/x86/kvm/kvm.ko": modules["arch/x86/kvm/kvm.ko"] });
  await assertRejects(
    () => tree.load(tree.tree),
    LabError,
    `there is no kvm-amd.ko in ${tree.tree}`,
  );
  const nowhere = () => tree.load(`${tree.tree}/nowhere`);
  await assertRejects(nowhere, LabError, "/nowhere: No such file or directory");
});

Deno.test("a kernel that has KVM built in needs no modules", async () => {
  using tree = new Tree();
  assertEquals(await tree.load(), []);
});

const loaded: Module[] = [
  { name: "kvm", bytes: new Uint8Array(), parameters: ["tdp_mmu", "nested"] },
  { name: "kvm_amd", bytes: new Uint8Array(), parameters: ["npt", "nested"] },
];

Deno.test("a parameter goes to the module that has it", () => {
  const route = (...parameters: string[]) => routeParameters(loaded, "kvm_amd", parameters);
  assertEquals(route("npt=0", "tdp_mmu=0", "nested=1", "kvm.nested=0"), [
    { module: "kvm_amd", text: "npt=0" },
    { module: "kvm", text: "tdp_mmu=0" },
    { module: "kvm_amd", text: "nested=1" },
    { module: "kvm", text: "nested=0" },
  ]);
  assertEquals(routeParameters([], "kvm_amd", ["npt=0", "kvm-x.a=1"]), [
    { module: "kvm_amd", text: "npt=0" },
    { module: "kvm_x", text: "a=1" },
  ]);
});

Deno.test("a parameter that no module has is wrong usage", () => {
  const route = (parameter: string) => () => routeParameters(loaded, "kvm_amd", [parameter]);
  for (const parameter of ["ept=0", "kvm.npt=0", "kvm_intel.npt=0"]) {
    const error = assertThrows(route(parameter), LabError, "neither kvm nor kvm_amd has it");
    assertEquals(error.usage, true);
  }
  for (const parameter of ["npt", "npt=", "=0", "npt=0 x", 'npt="0']) {
    const error = assertThrows(route(parameter), LabError, "is not name=value");
    assertEquals(error.usage, true);
  }
});
