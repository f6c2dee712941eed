import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { kvm_run } from "../ffi/abi/run.ts";
import { Mapping } from "../ffi/mapping.ts";
import type { HostAction } from "../src/kvm/action.ts";
import { KvmError } from "../src/kvm/error.ts";
import type { Exit, MmioExit, MsrExit, PioExit } from "../src/kvm/exit.ts";
import { AnswerError, type Vcpu } from "../src/kvm/vcpu.ts";
import { Watchdog } from "../src/kvm/watchdog.ts";
import { kvmTest } from "./host.ts";
import { RealModeVm } from "./real_mode.ts";

/** Bits of KVM_CAP_X86_USER_SPACE_MSR: invalid and unknown MSRs exit. */
const MSR_EXITS = 0b11;
/** An MSR that no processor has. */
const NO_MSR = 0x4b564dff;

function pio(vcpu: Vcpu): PioExit {
  const exit = vcpu.run();
  assertEquals(exit.reason, "pio");
  return exit as PioExit;
}

function mmio(vcpu: Vcpu): MmioExit {
  const exit = vcpu.run();
  assertEquals(exit.reason, "mmio");
  return exit as MmioExit;
}

for (
  const [size, register, value] of [
    [1, "al", 0x81],
    [2, "ax", 0x8182],
    [4, "eax", 0x81828384],
  ] as const
) {
  kvmTest(`OUT and IN of ${size} bytes`, () => {
    using guest = new RealModeVm(`
      mov eax, 0x11223344
      mov dx, 0xfffe
      out dx, ${register}
      in ${register}, dx
      hlt
    `);
    using vcpu = guest.vcpu();
    const mask = 2 ** (8 * size) - 1;
    const keep = 0x11223344 - (0x11223344 & mask);
    assertEquals(pio(vcpu), {
      reason: "pio",
      direction: "out",
      port: 0xfffe,
      size,
      count: 1,
      values: [0x11223344 & mask],
    });
    assertEquals(pio(vcpu), {
      reason: "pio",
      direction: "in",
      port: 0xfffe,
      size,
      count: 1,
      values: [],
    });
    vcpu.answer(value);
    assertEquals(vcpu.run(), { reason: "hlt" });
    assertEquals(vcpu.regs().rax, BigInt(keep + value));
  });
}

kvmTest("an answer is cut to the size of the access, and may be a bigint", () => {
  using guest = new RealModeVm("in al, 0x10\n mov bl, al\n in al, 0x10\n hlt");
  using vcpu = guest.vcpu();
  pio(vcpu);
  vcpu.answer(0x1ff);
  pio(vcpu);
  vcpu.answer(-2n);
  vcpu.run();
  assertEquals([vcpu.regs().rbx & 0xffn, vcpu.regs().rax & 0xffn], [0xffn, 0xfen]);
});

kvmTest("a string IN takes as many values as it counts, in their order", () => {
  using guest = new RealModeVm(`
    mov di, 0x800
    mov cx, 5
    mov dx, 0x10
    cld
    rep insw
    hlt
  `);
  using vcpu = guest.vcpu();
  const given = [0x1111, 0x2222, 0x3333, 0x4444, 0x5555];
  let at = 0;
  for (let exit = vcpu.run(); exit.reason !== "hlt"; exit = vcpu.run()) {
    assertInstanceOf(exit, Object);
    const { count, size } = exit as PioExit;
    assertEquals(size, 2);
    assertThrows(
      () => vcpu.answer(Array(count + 1).fill(0)),
      AnswerError,
      `the exit pio wants ${count} values, not ${count + 1}`,
    );
    if (count > 1) assertThrows(() => vcpu.answer(0), AnswerError, "not 1");
    vcpu.answer(given.slice(at, at += count));
  }
  assertEquals(at, 5);
  assertEquals([...new Uint16Array(guest.vm.memory.bytes(0x800, 10).slice().buffer)], given);
});

kvmTest("a string OUT has every element, and stays as it was when the guest runs on", () => {
  using guest = new RealModeVm(`
    mov si, text
    mov cx, 4
    mov dx, 0x3f8
    cld
    rep outsw
    mov dword [0x2000], 0
    out 0x80, al
    hlt
    text: db "KVM says"
  `);
  using vcpu = guest.vcpu();
  const exits: Exit[] = [];
  for (let exit = vcpu.run(); exit.reason !== "hlt"; exit = vcpu.run()) exits.push(exit);
  const strings = exits.slice(0, -1) as PioExit[];
  assertEquals(strings.flatMap(({ values }) => values), [0x564b, 0x204d, 0x6173, 0x7379]);
  assert(strings.every(({ port, count, values }) => port === 0x3f8 && count === values.length));
});

for (
  const [size, register, answer] of [
    [1, "al", 0x91n],
    [2, "ax", 0x9192n],
    [4, "eax", 0x91929394n],
  ] as const
) {
  kvmTest(`MMIO of ${size} bytes`, () => {
    using guest = new RealModeVm(`
      mov ax, 0x2000
      mov ds, ax
      mov eax, 0x11223344
      mov [0x8], ${register}
      mov ${register}, [0x10]
      hlt
    `);
    using vcpu = guest.vcpu();
    const bits = 8 * size;
    const write = mmio(vcpu);
    const read = mmio(vcpu);
    vcpu.answer(answer);
    assertEquals(vcpu.run(), { reason: "hlt" });
    // Exits are copies: the runs in between left them alone.
    assertEquals(write, {
      reason: "mmio",
      direction: "write",
      address: 0x20008n,
      size,
      value: BigInt.asUintN(bits, 0x11223344n),
    });
    const found = { reason: "mmio", direction: "read", address: 0x20010n, size, value: 0n };
    assertEquals<unknown>(read, found);
    assertEquals(vcpu.regs().rax, (0x11223344n >> BigInt(bits) << BigInt(bits)) | answer);
  });
}

kvmTest("a small MMIO write after a large one has its own bytes alone", () => {
  using guest = new RealModeVm(`
    mov ax, 0x2000
    mov ds, ax
    mov dword [0], 0x11223344
    mov byte [4], 0x55
    hlt
  `);
  using vcpu = guest.vcpu();
  assertEquals([mmio(vcpu).value, mmio(vcpu).value], [0x11223344n, 0x55n]);
});

kvmTest("exits are plain data that another thread can be sent", () => {
  using guest = new RealModeVm("out 0x10, al\n hlt");
  using vcpu = guest.vcpu();
  const exit = vcpu.run();
  assertEquals(structuredClone(exit), exit);
});

kvmTest("an answer that nothing waits for is refused, and changes nothing", () => {
  using guest = new RealModeVm(`
    mov al, 0x41
    out 0x10, al
    mov ax, 0x2000
    mov ds, ax
    mov [0], al
    hlt
  `);
  using vcpu = guest.vcpu();
  assertThrows(() => vcpu.answer(1), AnswerError, "the exit unknown does not wait for an answer");
  assertEquals(pio(vcpu).direction, "out");
  assertThrows(() => vcpu.answer(1), AnswerError, "the exit pio does not wait for an answer");
  assertThrows(() => vcpu.answer([]), AnswerError, "wants 1 values, not 0");
  assertThrows(() => vcpu.refuse(), AnswerError, "the exit pio cannot be refused");
  assertEquals(mmio(vcpu).direction, "write");
  assertThrows(() => vcpu.answer(1), AnswerError, "the exit mmio does not wait for an answer");
  vcpu.run();
  assertThrows(() => vcpu.answer(1), AnswerError, "the exit hlt does not wait for an answer");
});

/** A guest whose #GP goes to a HLT of its own. */
function msrGuest(instruction: string): RealModeVm {
  const guest = new RealModeVm(`
    mov word [13 * 4], fault
    mov word [13 * 4 + 2], 0
    mov ecx, ${NO_MSR}
    mov eax, 0x11223344
    mov edx, 0x55667788
    ${instruction}
    mov bx, 1
    hlt
    fault:
    mov bx, 2
    hlt
  `);
  guest.vm.enableCapability("KVM_CAP_X86_USER_SPACE_MSR", MSR_EXITS);
  return guest;
}

const start = { rsp: 0x8000n };

kvmTest("RDMSR takes the answer into EDX:EAX", () => {
  using guest = msrGuest("rdmsr");
  using vcpu = guest.vcpu(0, start);
  const exit = vcpu.run() as MsrExit;
  assertEquals([exit.reason, exit.index, exit.value], ["rdmsr", NO_MSR, 0n]);
  assert(exit.why === "unknown" || exit.why === "inval");
  vcpu.answer(0xaabbccdd_00112233n);
  assertEquals(vcpu.run().reason, "hlt");
  const { rax, rdx, rbx } = vcpu.regs();
  assertEquals([rax, rdx, rbx], [0x00112233n, 0xaabbccddn, 1n]);
});

kvmTest("a refused RDMSR is #GP, an answer after a refusal takes it back", () => {
  using guest = msrGuest("rdmsr");
  using vcpu = guest.vcpu(0, start);
  vcpu.run();
  vcpu.refuse();
  assertEquals(vcpu.run().reason, "hlt");
  assertEquals(vcpu.regs().rbx, 2n);

  using other = msrGuest("rdmsr");
  using again = other.vcpu(0, start);
  again.run();
  again.refuse();
  again.answer(5n);
  again.run();
  assertEquals([again.regs().rbx, again.regs().rax], [1n, 5n]);
});

kvmTest("WRMSR shows what was written; it is accepted, or refused with #GP", () => {
  for (const [refuse, rbx] of [[false, 1n], [true, 2n]] as const) {
    using guest = msrGuest("wrmsr");
    using vcpu = guest.vcpu(0, start);
    const exit = vcpu.run() as MsrExit;
    const { reason, index, value } = exit;
    assertEquals([reason, index, value], ["wrmsr", NO_MSR, 0x55667788_11223344n]);
    assertThrows(() => vcpu.answer(1), AnswerError, "the exit wrmsr does not wait for an answer");
    if (refuse) vcpu.refuse();
    assertEquals(vcpu.run().reason, "hlt");
    assertEquals(vcpu.regs().rbx, rbx);
  }
});

kvmTest("registers come back as they were set, all of them", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  const names = Object.keys(vcpu.regs()) as (keyof ReturnType<Vcpu["regs"]>)[];
  const values = Object.fromEntries(
    names.map((name, index) => [name, 0x1111_0000_0000_0000n + BigInt(index) * 0x0101n]),
  );
  const registers = { ...vcpu.regs(), ...values, rflags: 0x46n };
  vcpu.setRegs(registers);
  assertEquals(vcpu.regs(), registers);
  assertEquals(names.length, 18);
});

kvmTest("system registers, debug registers, events and MSRs come back as they were set", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  const sregs = vcpu.sregs();
  const gdt = { ...sregs.gdt, base: 0x3000n, limit: 0x17 };
  vcpu.setSregs({ ...sregs, gdt });
  assertEquals(vcpu.sregs().gdt.base, 0x3000n);
  assertEquals(vcpu.sregs().gdt.limit, 0x17);
  vcpu.setDebugRegs({ ...vcpu.debugRegs(), db: [1n, 2n, 3n, 4n] });
  assertEquals(vcpu.debugRegs().db, [1n, 2n, 3n, 4n]);
  const events = vcpu.events();
  vcpu.setEvents({ ...events, nmi: { ...events.nmi, masked: 1 }, flags: 0 });
  assertEquals(vcpu.events().nmi.masked, 1);
  const SYSENTER_ESP = 0x175;
  assertEquals(vcpu.setMsrs([{ index: SYSENTER_ESP, data: 0x1234n }]), 1);
  assertEquals(vcpu.msrs([SYSENTER_ESP]), [{ index: SYSENTER_ESP, data: 0x1234n }]);
  assertEquals(vcpu.msrs([SYSENTER_ESP, NO_MSR, SYSENTER_ESP]).length, 1);
  assertEquals(vcpu.mpState(), 0);
});

kvmTest("what is read stays as it is when it is read again", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  const before = vcpu.regs();
  vcpu.setRegs({ ...before, rax: 7n });
  assertEquals([before.rax, vcpu.regs().rax], [0n, 7n]);
});

kvmTest("CPUID answers what was set", () => {
  using guest = new RealModeVm("mov eax, 0x40000000\n cpuid\n hlt");
  using vcpu = guest.vcpu();
  const entry = { function: 0x40000000, index: 0, flags: 0, eax: 1, ebx: 2, ecx: 3, edx: 4 };
  vcpu.setCpuid([entry]);
  vcpu.run();
  const { rax, rbx, rcx, rdx } = vcpu.regs();
  assertEquals([rax, rbx, rcx, rdx], [1n, 2n, 3n, 4n]);
});

kvmTest("a linear address without paging translates to itself", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  const { physical_address, valid } = vcpu.translate(0x1234n);
  assertEquals([physical_address, valid], [0x1234n, 1]);
});

kvmTest("an external interrupt and an NMI reach their handlers", () => {
  using guest = new RealModeVm(`
    mov word [0x20 * 4], irq
    mov word [2 * 4], nmi
    sti
    hlt
    jmp $ - 1
    irq: out 0x20, al
    iret
    nmi: out 0x02, al
    iret
  `);
  using vcpu = guest.vcpu(0, start);
  assertEquals(vcpu.run().reason, "hlt");
  assertEquals([vcpu.ifFlag, vcpu.readyForInterruptInjection], [true, true]);
  vcpu.interrupt(0x20);
  assertEquals(pio(vcpu).port, 0x20);
  assertEquals(vcpu.ifFlag, false);
  vcpu.nmi();
  assertEquals(pio(vcpu).port, 0x02);
  assertEquals(vcpu.run().reason, "hlt");
});

kvmTest(
  "an interrupt window exits while the guest can take an interrupt and it is asked for",
  () => {
    using guest = new RealModeVm("jmp $");
    using vcpu = guest.vcpu(0, { rflags: 0x202n });
    using watchdog = new Watchdog();
    watchdog.arm(1000);
    vcpu.requestInterruptWindow = true;
    assertEquals(vcpu.requestInterruptWindow, true);
    assertEquals(vcpu.run(), { reason: "irq-window" });
    assertEquals([vcpu.ifFlag, vcpu.readyForInterruptInjection], [true, true]);
    vcpu.requestInterruptWindow = false;
    watchdog.arm(10);
    assertEquals(vcpu.run(), { reason: "intr", cause: "deadline" });
  },
);

kvmTest("the shared area has CR8 and the APIC base", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  using shared = Mapping.ofFd(vcpu.fd, guest.kvm.vcpuMmapSize());
  // Without a local APIC in the kernel KVM takes CR8 from there (KVM API 5).
  shared.view.setBigUint64(kvm_run.fields.cr8[0], 5n, true);
  vcpu.run();
  assertEquals([vcpu.cr8, vcpu.apicBase], [5n, vcpu.sregs().apic_base]);
});

kvmTest("every action is observed, with the errno where it fails", () => {
  using guest = new RealModeVm("hlt");
  using vcpu = guest.vcpu();
  const seen: HostAction[] = [];
  guest.vm.observer = (action) => seen.push(action);
  vcpu.regs();
  vcpu.setMpState(0);
  vcpu.interrupt(0x20);
  assertThrows(() => vcpu.interrupt(256), KvmError, "the vector is above 255");
  assertEquals(vcpu.setMsrs([{ index: 0x175, data: 1n }]), 1);
  vcpu.immediateExit = true;
  assertEquals(
    seen.map(({ name, operands, answer }) => [name, operands, answer]),
    [
      ["set-mp-state", [0], undefined],
      ["interrupt", [0x20], undefined],
      ["interrupt", [256], "EINVAL"],
      ["set-msrs", [["msr.0x175", 1n]], 1n],
      ["immediate-exit", [1], undefined],
    ],
  );
  vcpu.immediateExit = false;
});
