/** What is used after its disposal reaches nothing, and leaves nothing behind. */
import { assertEquals, assertThrows } from "@std/assert";
import { FileDescriptor } from "../ffi/file_descriptor.ts";
import { Kvm } from "../src/kvm/kvm.ts";
import { kvmTest, projectRoot, runDeno } from "./host.ts";

Deno.test("a failed open leaves no descriptor open", () => {
  const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = count();
  for (let round = 0; round < 3; round++) assertThrows(() => Kvm.open("/dev/null"));
  assertEquals(count(), before);
  using fd = FileDescriptor.open("/dev/null");
  assertEquals([fd.disposed, count()], [false, before + 1]);
});

/** Everything that could reach unmapped memory; prints its last line when it has survived. */
const lateUse = `
import { Kvm } from "${new URL("src/kvm/kvm.ts", projectRoot)}";
import { Mapping } from "${new URL("ffi/mapping.ts", projectRoot)}";

function use(views) {
  let total = 0;
  for (const view of views) {
    try {
      if (view instanceof DataView) { view.setUint8(0, 1); total += view.getUint8(0); }
      else { view.fill(1); view[0] = 1; total += view[0] ?? 0; }
    } catch (error) { if (!(error instanceof TypeError)) throw error; }
  }
  if (total !== 0) throw new Error("a view is still attached");
}
function attempt(body) { try { body(); } catch { /* Typed errors are the other tests'. */ } }

const mapping = Mapping.anonymous(0x2000);
const views = [mapping.bytes, mapping.view, mapping.bytes.subarray(0x1000), new Uint32Array(mapping.bytes.buffer)];
mapping[Symbol.dispose]();
use(views);

const kvm = Kvm.open();
const vm = kvm.createVm();
const ram = vm.memory.addRam(0, 0x10000);
const inside = [ram.bytes, ram.view, vm.memory.bytes(0x1000, 16), ...vm.memory.slots().map(({ bytes }) => bytes)];
const borrowed = Mapping.anonymous(0x1000);
vm.memory.setSlot({ slot: 5, guestAddress: 0x20000, size: 0x1000, memory: borrowed });
const vcpu = vm.createVcpu();
borrowed[Symbol.dispose]();
attempt(() => vm.memory.bytes(0x20000, 1).fill(1));
attempt(() => vm.memory.slots());
attempt(() => vcpu.run());
vm[Symbol.dispose]();
use(inside);
for (const use of [() => vcpu.run(), () => vcpu.answer(1), () => vcpu.refuse(), () => vcpu.cr8,
  () => { vcpu.immediateExit = true; }, () => vcpu.ifFlag]) attempt(use);
kvm[Symbol.dispose]();

// In another order: the system descriptor first, then the VM, with a thread in its guest.
const second = Kvm.open();
const other = second.createVm();
second[Symbol.dispose]();
other.memory.addRam(0, 0x1000).bytes.set([0xeb, 0xfe]);
const thread = await other.startVcpu(0);
const sregs = await thread.call("sregs");
await thread.call("setSregs", { ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
await thread.call("setRegs", { ...await thread.call("regs"), rip: 0n });
const running = thread.run().catch((error) => error.name);
await new Promise((resolve) => setTimeout(resolve, 20));
other[Symbol.dispose]();
attempt(() => thread.setImmediateExit(true));
attempt(() => thread.kick());
console.log("survived", await running);
`;

kvmTest("no late use reaches unmapped memory", async () => {
  const { code, signal, stdout, stderr } = await runDeno([
    "eval",
    "--no-check",
    lateUse,
  ]);
  assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
  assertEquals(stdout, "survived DisposedError\n");
});
