import { assert, assertEquals, assertLess } from "@std/assert";
import { drainDeadlines } from "../ffi/signal.ts";
import { defineCase } from "../src/suite/case.ts";
import { LocalHost } from "../src/suite/local_host.ts";
import { format } from "../src/trace/format.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { kvmTest } from "./host.ts";
import { halt, judged, run } from "./judged.ts";

judged("a guest that halts passes", {}, "pass");

judged(
  "an exit that was not promised fails",
  {
    guest: asm`out 0x10, al
  hlt`,
  },
  "fail",
  "expected `hlt`, got `pio out 0x10 u8 0x0`",
);

judged(
  "a promised exit that does not come fails",
  {
    trace: "pio out 0x10 u8 0x0\nhlt",
  },
  "fail",
  "expected `pio out 0x10 u8 0x0`, got `hlt`",
);

judged(
  "a register that changes undeclared fails",
  {
    guest: asm`mov bx, 7
  hlt`,
  },
  "fail",
  "`= rbx 0x7` changed, but the trace does not say so",
);

judged(
  "a flag that changes undeclared fails",
  {
    guest: asm`stc
  hlt`,
  },
  "fail",
  "`= rflags 0x3` changed, but the trace does not say so",
);

judged(
  "a segment that changes undeclared fails",
  {
    guest: asm`mov es, sp
  hlt`,
  },
  "fail",
  /^`= es\.(selector|base) .*` changed/,
);

judged(
  "memory that changes undeclared fails",
  {
    guest: asm`mov word [0xa000], 0x1234
  hlt`,
  },
  "fail",
  "`= mem 0xa000 u8 [0x34 0x12]` changed, but the trace does not say so",
);

judged("what is declared passes", {
  guest: asm`mov bx, 7
    mov word [0xa000], 0x1234
    hlt`,
  trace: "hlt\n= rbx 0x7\n= mem 0xa000 u16 0x1234",
}, "pass");

judged("what is declared with a wildcard passes, changed or not", {
  guest: asm`mov bx, 7
    hlt`,
  trace: "hlt\n= rbx *\n= rcx *\n= mem 0xa000 u16 *",
}, "pass");

judged(
  "a declared value that is another fails",
  {
    trace: "hlt\n= rbx 0x1",
  },
  "fail",
  "expected `= rbx 0x1`, got `= rbx 0x0`",
);

judged(
  "a declared state that is not there fails",
  {
    trace: "hlt\n= mem 0xd0000000 u8 0x0",
  },
  "fail",
  "expected `= mem 0xd0000000 u8 0x0`, but the trace ended",
);

judged("an MSR is read where the trace names it", {
  trace: "hlt\n= msr.0x175 0x0",
}, "pass");

judged(
  "an MSR that is not there is missing",
  {
    trace: "hlt\n= msr.0x4b564dff 0x0",
  },
  "fail",
  "expected `= msr.0x4b564dff 0x0`, but the trace ended",
);

judged(
  "an event that is still waiting is a change",
  {
    drive: ({ vcpu }) => {
      vcpu.nmi();
    },
    trace: "> nmi\nhlt",
    guest: asm`hlt`,
    handlers: { 2: 0x8000 },
  },
  "fail",
  /changed, but the trace does not say so$/,
);

judged(
  "RIP that is not past an HLT is shown at a HLT exit",
  {
    guest: asm`hlt
    jmp other
    other: hlt`,
    // The vCPU is moved behind the runner's back once it has halted.
    drive: ({ run, vm, vcpu }) => {
      run();
      vm.observer = undefined;
      vcpu.setRegs({ ...vcpu.regs(), rip: 0x8002n });
    },
  },
  "fail",
  "`= rip 0x8002` changed, but the trace does not say so",
);

judged(
  "a shared area that contradicts the registers is shown",
  {
    drive: ({ run, vm, vcpu }) => {
      run();
      vm.observer = undefined;
      vcpu.setSregs({ ...vcpu.sregs(), cr8: 3n });
    },
    trace: "hlt\n= cr8 0x3",
  },
  "fail",
  "`= run.cr8 0x0` changed, but the trace does not say so",
);

judged("the host answers what the trace says, and 64 bits of MMIO", {
  mode: "long",
  guest: asm`in eax, 0x10
    mov rbx, 0xd0000000
    mov rcx, [rbx]
    mov [rbx + 8], rcx
    hlt`,
  trace: `
    pio in 0x10 u32 -> 0x11223344
    mmio read 0xd0000000 u64 -> 0x8070605040302010
    mmio write 0xd0000008 u64 0x8070605040302010
    hlt
    = rax 0x11223344
    = rbx 0xd0000000
    = rcx 0x8070605040302010
  `,
}, "pass");

judged(
  "the host answers all ones where the trace has no answer",
  {
    guest: asm`in al, 0x10
    hlt`,
  },
  "fail",
  "expected `hlt`, got `pio in 0x10 u8 -> 0xff`",
);

judged(
  "a missing capability is a skip that names it",
  {
    requires: [{ capability: "KVM_CAP_MAX_VCPUS", atLeast: 1e6 }],
    guest: asm`this does not even assemble`,
  },
  "skip",
  /^KVM_CAP_MAX_VCPUS of at least 1000000, here \d+$/,
);

judged(
  "a module parameter that is not there is a skip that names it",
  {
    requires: ["KVM_CAP_USER_MEMORY", { parameter: "kvm_none.nested", value: "Y" }],
  },
  "skip",
  "module parameter kvm_none.nested=Y, here not there",
);

judged(
  "another backend is a skip that names both",
  {
    requires: [{ backend: [] }],
  },
  "skip",
  /^backend , here (pvm|vmx|svm|unknown)$/,
);

judged("a requirement that the host has runs the case", {
  requires: ["KVM_CAP_USER_MEMORY", { cpuid: "MSR" }, {
    capability: "KVM_CAP_USER_MEMORY",
    atLeast: 1,
  }, {
    backend: ["pvm", "vmx", "svm", "unknown"],
  }],
}, "pass");

judged(
  "a runaway guest is a timeout",
  { guest: asm`jmp $`, timeout: 20 },
  "timeout",
  "the guest did not return in time; the watchdog ended it",
);

judged(
  "a guest that exits without end is a timeout too",
  {
    guest: asm`again: jmp again`,
    timeout: 20,
    drive: ({ run }) => {
      while (true) run();
    },
  },
  "timeout",
  /did not return in time/,
);

kvmTest("a case's time ends with it", async () => {
  using host = LocalHost.open({ timeout: 300 });
  assertEquals((await host.run(defineCase(halt))).verdict, "pass");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  assertEquals(drainDeadlines(), false);
});

kvmTest("a guest that left its trace is watched for a while, not for its whole time", async () => {
  const { trace } = await run({
    guest: asm`again: out 0x10, al
      jmp again`,
  });
  assert(trace.length > 5 && trace.length < 50, `${trace.length} events`);
});

judged("a triple fault leaves the registers to no promise", {
  mode: "protected",
  guest: asm`mov ebx, 7
    lidt [nothing]
    ud2
    nothing: dw 0, 0, 0, 0`,
  trace: "shutdown",
}, "pass");

kvmTest("a timeout is over soon, and the next case is judged by itself", async () => {
  using host = LocalHost.open({ timeout: 20 });
  const started = performance.now();
  const spin = defineCase({ ...halt, guest: asm`jmp $` });
  assertEquals((await host.run(spin)).verdict, "timeout");
  assertLess(performance.now() - started, 1000);
  assertEquals((await host.run(defineCase(halt))).verdict, "pass");
});

judged(
  "a guest that goes on beyond its trace is stopped",
  {
    guest: asm`again: out 0x10, al
    jmp again`,
    trace: "pio out 0x11 u8 0x0\nhlt",
  },
  "fail",
  "expected `pio out 0x11 u8 0x0`, got `pio out 0x10 u8 0x0`",
);

judged(
  "a malformed trace is an error of the harness",
  { trace: "hlt\nhalt" },
  "error",
  /^TraceError: trace line 2, column 1: /,
);
judged(
  "a wrong program is an error of the harness",
  { guest: asm`hlt al` },
  "error",
  /^AssemblyError: /,
);
judged(
  "a label that is not there is an error",
  { handlers: { 1: "nowhere" } },
  "error",
  /^CaseError: case test\/case: the guest has no label nowhere/,
);
judged(
  "an option that contradicts the mode is an error",
  { machine: { privilege: 3 } },
  "error",
  /real mode runs at CPL 0/,
);

kvmTest("a result has the traces, the end of the guest and its time", async () => {
  const { expected, trace, autopsy, milliseconds, case: { id } } = await run({
    mode: "protected",
    guest: asm`mov eax, 5
      hlt`,
    trace: "hlt\n= rax 0x5",
  });
  assertEquals([format(expected), format(trace)], ["hlt\n= rax 0x5", "hlt\n= rax 0x5"]);
  assertEquals([autopsy!.bits, autopsy!.regs.rip, id], [32, 0x8006n, "test/case"]);
  assert(milliseconds > 0);
});
