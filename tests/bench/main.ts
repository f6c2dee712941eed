/** `deno task bench`: what Trapline costs, beside the same work in C, in one run. */
import { asm, assemble, defineCase, Kvm, LocalHost, type Vcpu, type Vm } from "../../mod.ts";
import { startReference, type Workload } from "./reference.ts";
import { measureConform } from "./suite_process.ts";

const RAM_SIZE = 0x20000;
const CODE = 0x8000;

const guests: Readonly<Record<"pio" | "mmio" | "lifecycle", Uint8Array>> = {
  pio: assemble("back: out 0x10, al\njmp back", { bits: 16, origin: CODE }).bytes,
  mmio: assemble(
    "mov ax, 0x2000\nmov es, ax\nback: mov [es:0], al\njmp back",
    { bits: 16, origin: CODE },
  ).bytes,
  lifecycle: assemble("hlt", { bits: 16, origin: CODE }).bytes,
};

function create(kvm: Kvm, code: Uint8Array, irqchip = false): { vm: Vm; vcpu: Vcpu } {
  const vm = kvm.createVm();
  if (irqchip) vm.irq.createIrqchip();
  vm.memory.addRam(0, RAM_SIZE).bytes.set(code, CODE);
  const vcpu = vm.createVcpu();
  if (irqchip) vcpu.setCpuid(kvm.supportedCpuid());
  const sregs = vcpu.sregs();
  vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, base: 0n, selector: 0 } });
  vcpu.setRegs({ ...vcpu.regs(), rip: BigInt(CODE) });
  return { vm, vcpu };
}

let sum = 0;

/** There under `--v8-flags=--expose-gc`. */
declare const gc: (() => void) | undefined;

function exits(vcpu: Vcpu, reason: "pio" | "mmio", count: number): void {
  for (let round = 0; round < count; round++) {
    const exit = vcpu.run();
    if (exit.reason !== reason) throw new Error(`exit ${exit.reason} instead of ${reason}`);
    sum += exit.reason === "pio" ? exit.port + exit.values[0] : exit.size;
  }
}

function lifecycle(kvm: Kvm, count: number): void {
  for (let round = 0; round < count; round++) {
    const { vm, vcpu } = create(kvm, guests.lifecycle);
    const { reason } = vcpu.run();
    if (reason !== "hlt") throw new Error(`exit ${reason} instead of hlt`);
    vm[Symbol.dispose]();
  }
}

function saves(vm: Vm, count: number): void {
  for (let round = 0; round < count; round++) sum += vm.save().vcpus.length;
}

function restores(kvm: Kvm, vm: Vm, count: number): void {
  for (let round = 0; round < count; round++) {
    const other = kvm.restore(vm.save());
    const { reason } = other.vcpu().run();
    if (reason !== "pio") throw new Error(`exit ${reason} instead of pio`);
    other[Symbol.dispose]();
  }
}

/** How much more a million exits leave in the heap once it is swept, and what each takes until then. */
async function heapGrowth(kvm: Kvm): Promise<Row[]> {
  const { vm, vcpu } = create(kvm, guests.pio);
  const round = async (count: number) => {
    exits(vcpu, "pio", count);
    // Lets the runtime sweep what is dead.
    for (let turn = 0; turn < 3; turn++) {
      gc?.();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return Deno.memoryUsage().heapUsed;
  };
  // Until the compiler has settled, which keeps what it has learnt.
  await round(500_000);
  const before = await round(1_000_000);
  const after = await round(1_000_000);
  // So few that nothing is collected meanwhile.
  const few = 10_000;
  exits(vcpu, "pio", few);
  const taken = Deno.memoryUsage().heapUsed - after;
  vm[Symbol.dispose]();
  return [
    {
      what: "heap after a million exits, less before",
      measured: `${((after - before) / 1024).toFixed(1)} KiB`,
      goal: "0",
    },
    {
      what: "garbage of a PIO exit",
      measured: `${(taken / few).toFixed(0)} bytes`,
      goal: "0",
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly ratio?: string;
  readonly goal: string;
}

/** Measures both sides in turn, so that what else the machine does falls on both. */
async function compare(kvm: Kvm): Promise<Row[]> {
  await using reference = await startReference();
  const pio = create(kvm, guests.pio);
  const mmio = create(kvm, guests.mmio);
  const saved = create(kvm, guests.pio, true);
  exits(saved.vcpu, "pio", 1);
  const sides: Record<Workload, (count: number) => void> = {
    pio: (count) => exits(pio.vcpu, "pio", count),
    mmio: (count) => exits(mmio.vcpu, "mmio", count),
    lifecycle: (count) => lifecycle(kvm, count),
    save: (count) => saves(saved.vm, count),
    restore: (count) => restores(kvm, saved.vm, count),
  };
  const plan: [Workload, string, count: number, samples: number, goal?: string][] = [
    ["pio", "a PIO exit", 2000, 41, "1.05"],
    ["mmio", "an MMIO exit", 2000, 41, "1.05"],
    ["lifecycle", "VM create, first exit, destroy", 20, 41, "1.07"],
    ["save", "save of a vCPU with irqchip, alone", 100, 41, undefined],
    ["restore", "save, restore into a new VM, first exit", 5, 21, "1.10"],
  ];
  const rows: Row[] = [];
  for (const [workload, what, count, samples, goal] of plan) {
    const here: number[] = [];
    const there: number[] = [];
    sides[workload](count);
    await reference?.measure(workload, count);
    const measureHere = () => {
      const start = performance.now();
      sides[workload](count);
      here.push((performance.now() - start) * 1e6 / count);
    };
    for (let sample = 0; sample < samples; sample++) {
      // Each goes first every other time: the kernel cleans up after one while the other runs.
      if (sample % 2 === 0) measureHere();
      if (reference) there.push(await reference.measure(workload, count) / count);
      if (sample % 2 === 1) measureHere();
    }
    rows.push({
      what,
      measured: `${(median(here) / 1000).toFixed(2)} us`,
      // Of neighbours in time, so that what the machine does in the meantime cancels out.
      ratio: reference && median(here.map((took, sample) => took / there[sample])).toFixed(3),
      goal: goal === undefined ? "-" : `${goal} of C`,
    });
  }
  pio.vm[Symbol.dispose]();
  mmio.vm[Symbol.dispose]();
  saved.vm[Symbol.dispose]();
  return rows;
}

async function judged(): Promise<Row> {
  using host = LocalHost.open();
  const definition = defineCase({
    id: "bench/case",
    spec: "KVM API 5: KVM_EXIT_IO",
    mode: "long",
    guest: asm`
      mov al, 0x41
      out 0x10, al
      in al, 0x20
      hlt
    `,
    trace: `
      pio out 0x10 u8 0x41
      pio in 0x20 u8 -> 0x42
      hlt
      = rax 0x42
    `,
  });
  const times: number[] = [];
  for (let round = 0; round < 200; round++) {
    const start = performance.now();
    const { verdict, reason } = await host.run(definition);
    times.push(performance.now() - start);
    if (verdict !== "pass") throw new Error(`the case ends with ${verdict}: ${reason}`);
  }
  return { what: "a case, judged", measured: `${median(times).toFixed(2)} ms`, goal: "1.5 ms" };
}

function assembling(): Row {
  const times: number[] = [];
  for (let round = 0; round < 200; round++) {
    // A guest of its own each time, so that nothing is remembered.
    const source = [
      ...Array.from({ length: 16 }, (_, line) => `mov eax, ${round * 16 + line}\nout 0x10, eax`),
      "done: hlt",
    ].join("\n");
    const start = performance.now();
    assemble(source, { bits: 32, origin: CODE });
    times.push(performance.now() - start);
  }
  return {
    what: "assembling a guest of 33 lines",
    measured: `${median(times).toFixed(2)} ms`,
    goal: "1 ms",
  };
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, measured, ratio, goal }) =>
    `| ${what} | ${measured} | ${ratio ?? "-"} | ${goal} |`
  );
  return ["| what | median | of C | goal |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

using kvm = Kvm.open();
const rows: Row[] = [
  ...await compare(kvm),
  ...await heapGrowth(kvm),
  await judged(),
  assembling(),
  ...await measureConform(),
];
console.log(table(rows));
if (rows.every(({ ratio }) => ratio === undefined)) {
  console.log("no ratios: gcc or linux/kvm.h is not installed");
}
if (sum === 0) throw new Error("nothing was measured");
