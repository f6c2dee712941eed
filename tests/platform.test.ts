import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { checkPlatform, libc, UnsupportedPlatformError } from "../ffi/libc.ts";
import { projectRoot, runDeno, TemporaryFolder } from "./host.ts";

Deno.test("x86-64 Linux is the platform", () => {
  checkPlatform("linux", "x86_64");
  checkPlatform();
});

for (const os of ["darwin", "windows", "freebsd"]) {
  Deno.test(`${os} has no KVM, and the error says so`, () => {
    const error = assertThrows(() => checkPlatform(os, "x86_64"), UnsupportedPlatformError);
    assertMatch(error.message, new RegExp(`this is ${os}: run Trapline on an x86-64 Linux host`));
  });
}

Deno.test("another architecture has no x86 guests, and the error says so", () => {
  const error = assertThrows(() => checkPlatform("linux", "aarch64"), UnsupportedPlatformError);
  assertMatch(error.message, /this machine is aarch64/);
});

Deno.test("libc is bound once, and errno is this thread's", () => {
  assert(libc() === libc());
  const c = libc();
  assertEquals([c.close(-1), c.errno[0]], [-1, 9]);
});

/** Opens KVM with everything imported; the permissions are the child's. */
const open = `
import { HostError, Kvm } from "${new URL("mod.ts", projectRoot)}";
console.log("imported");
try {
  Kvm.open()[Symbol.dispose]();
  console.log("opened");
} catch (error) {
  console.log(error.name, error instanceof HostError ? error.problem : "", error.message);
}
`;

Deno.test("importing everything needs no permission, and opening says which one it needs", async () => {
  using folder = new TemporaryFolder();
  const script = folder.write("open.ts", open);
  const { code, stdout, stderr } = await runDeno(["run", "--no-prompt", "--no-check", script]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(stdout, /^imported\nNotCapable .*run again with the --allow-ffi flag\n$/);
});

Deno.test("on another platform everything is imported, and opening is the problem `platform`", async () => {
  using folder = new TemporaryFolder();
  const elsewhere = `Object.defineProperty(Deno.build, "os", { value: "darwin" });`;
  const script = folder.write(
    "open.ts",
    `try { ${elsewhere} } catch {
      Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "darwin" } });
    }
    ${open.replace(/import (\{.*\}) from (".*");/, "const $1 = await import($2);")}`,
  );
  const { code, stdout, stderr } = await runDeno(["run", "--no-prompt", "--no-check", script]);
  // No permission is asked for: nothing was loaded.
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(stdout, /^imported\nHostError platform KVM is a part of Linux and this is darwin/);
});
