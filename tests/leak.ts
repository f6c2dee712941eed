/** `deno task leak`: VMs made and dropped leave no file descriptor, thread or mapping behind. */
import { asm, defineCase, EventFd, Kvm, LocalHost, type Vm, Watchdog } from "../mod.ts";

const VMS = 1000;
const IRQCHIP_VMS = 20;
const THREADS = 10;
const CASES = 100;

interface Held {
  readonly descriptors: number;
  readonly threads: number;
  readonly mappings: number;
}

function count(folder: string): number {
  return [...Deno.readDirSync(folder)].length;
}

function held(): Held {
  const maps = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return {
    descriptors: count("/proc/self/fd"),
    threads: count("/proc/self/task"),
    mappings: maps.filter((line) => line.includes("anon_inode:kvm")).length + guestMemories(maps),
  };
}

/** 43 pages: no whole number of what V8 maps at once. */
const RAM_SIZE = 0x2b000;
const PAGE = 0x1000;
/** HLT, and a text that stands at the start of a page in guest memory alone. */
const MARK = new TextEncoder().encode("_ guest memory of the leak check").with(0, 0xf4);

/** Pages of this process that start with the mark: V8 maps and unmaps its own as it likes. */
function guestMemories(maps: readonly string[]): number {
  using memory = Deno.openSync("/proc/self/mem");
  const start = new Uint8Array(MARK.length);
  let found = 0;
  for (const line of maps) {
    const [range, access, , , inode, name] = line.split(/ +/);
    if (access !== "rw-p" || inode !== "0" || name) continue;
    const [first, end] = range.split("-").map((text) => parseInt(text, 16));
    for (let page = first; page < end; page += PAGE) {
      memory.seekSync(page, Deno.SeekMode.Start);
      memory.readSync(start);
      if (start.every((byte, index) => byte === MARK[index])) found++;
    }
  }
  return found;
}

function runOnce(vm: Vm): void {
  vm.memory.addRam(0, RAM_SIZE).bytes.set(MARK);
  const vcpu = vm.createVcpu();
  const sregs = vcpu.sregs();
  vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
  vcpu.setRegs({ ...vcpu.regs(), rip: 0n });
  const { reason } = vcpu.run();
  if (reason !== "hlt") throw new Error(`exit ${reason} instead of hlt`);
}

async function work(rounds: { vms: number; irqchips: number; threads: number; cases: number }) {
  using kvm = Kvm.open();
  for (let round = 0; round < rounds.vms; round++) {
    using vm = kvm.createVm();
    runOnce(vm);
  }
  for (let round = 0; round < rounds.irqchips; round++) {
    using vm = kvm.createVm();
    vm.irq.createIrqchip();
    vm.memory.addRam(0, RAM_SIZE).bytes.set(MARK);
    using event = new EventFd();
    vm.irq.assignEventFd(event, 5);
    using _watchdog = new Watchdog();
    vm.createVcpu();
  }
  for (let round = 0; round < rounds.threads; round++) {
    using vm = kvm.createVm();
    vm.memory.addRam(0, RAM_SIZE).bytes.set(MARK);
    await vm.startVcpu(0);
  }
  using host = LocalHost.open();
  const halt = defineCase({
    id: "leak/halt",
    spec: "SDM 2A: HLT",
    mode: "long",
    guest: asm`db ${[...MARK].join(", ")}`,
    trace: "hlt",
  });
  for (let round = 0; round < rounds.cases; round++) {
    const { verdict, reason } = await host.run(halt);
    if (verdict !== "pass") throw new Error(`the case ends with ${verdict}: ${reason}`);
  }
}

/** A thread that ends is gone a little later: give the kernel the time to say so. */
async function settle(before: Held): Promise<Held> {
  for (let round = 0; round < 50 && held().threads > before.threads; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return held();
}

await work({ vms: 10, irqchips: 1, threads: 2, cases: 5 });
const before = await settle({ descriptors: 0, threads: 0, mappings: 0 });
await work({ vms: VMS, irqchips: IRQCHIP_VMS, threads: THREADS, cases: CASES });
const after = await settle(before);
const made = `${VMS + IRQCHIP_VMS + THREADS + CASES} VMs`;
for (const what of ["descriptors", "threads", "mappings"] as const) {
  if (after[what] <= before[what]) continue;
  console.error(`${made} leak ${what}: ${before[what]} before, ${after[what]} after`);
  Deno.exit(1);
}
console.log(
  `${made} made and dropped: ${after.descriptors} descriptors, ${after.threads} threads, ` +
    `${after.mappings} guest memories and mappings, none more than before`,
);
