/** A lab as it is: QEMU, a Debian kernel, and a case that makes that kernel panic. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { projectRoot, runDeno, TemporaryFolder } from "./host.ts";
import { toolTest } from "./lab_files.ts";

const main = new URL("src/cli/main.ts", projectRoot).pathname;
const needed = ["qemu-system-x86_64", "busybox", "objcopy", "apt-get", "dpkg", "zstd", "xz"];

/** A case that writes a byte to a port, and does something of its own before. */
const caseFile = (name: string, drive = "") => `
  import { asm, defineCase } from "${new URL("mod.ts", projectRoot)}";
  export default defineCase({
    id: "own/${name}",
    spec: "SDM 2B: OUT",
    mode: "long",
    guest: asm\`
      mov al, 0x41
      out 0x10, al
      hlt
    \`,
    trace: "pio out 0x10 u8 0x41\\nhlt\\n= rax 0x41",
    ${drive}
  });
`;

const panic = `drive({ run }) {
  run();
  Deno.writeTextFileSync("/proc/sysrq-trigger", "c");
},`;

toolTest("a panic in the lab loses no verdict before it and none after it", needed, async () => {
  using folder = new TemporaryFolder();
  for (const name of ["a", "b", "d", "e"]) folder.write(`guests/own/${name}.ts`, caseFile(name));
  folder.write("guests/own/c.ts", caseFile("c", panic));
  const json = `${folder.path}/run.jsonl`;
  const flags = [`--guests=${folder.path}/guests`, `--json=${json}`, "--jobs=1"];
  const args = ["run", "--allow-all", "--no-check", main, "lab", "svm", "--no-baseline", ...flags];
  const { code, stdout, stderr } = await runDeno(args);
  assertEquals([code, stderr], [1, ""]);
  const [header, ...records] = Deno.readTextFileSync(json).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  assertMatch(header.kernel, /^6\.12\.\d+\+deb\d+-cloud-amd64$/);
  assertEquals(
    records.map(({ id, verdict, standing }) => `${id} ${verdict} ${standing}`),
    [
      "own/a pass expected",
      "own/b pass expected",
      "own/c crash regression",
      "own/d pass expected",
      "own/e pass expected",
    ],
  );
  assertEquals(records[0].actual, "pio out 0x10 u8 0x41\nhlt\n= rax 0x41");
  const { reason, log } = records[2];
  assertEquals(reason, "the kernel says: Kernel panic - not syncing: sysrq triggered crash");
  assertMatch(log, /^\[ *\d+\.\d+\] sysrq: Trigger a crash\n/);
  assertStringIncludes(log, "sysrq_handle_crash+");
  assertMatch(stdout, /^CRASH own\/c {2}long mode, /);
  assertMatch(stdout, /\n4 passed, 1 failed, 0 skipped \(/);
});
