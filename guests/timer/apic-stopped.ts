import { asm, type CaseDefinition, defineCases, type DriveContext } from "../../mod.ts";
import { offered } from "../_cpuid.ts";

// Four milliseconds; a host that acts needs more.
const [COUNT, LONGER, FAR] = ["0x400000", "0x2000000", "0x7fffffff"];

/** Writes IA32_TSC_DEADLINE: so many cycles from now, or 0. */
const deadline = (cycles: string) => `
  rdtsc
  shl rdx, 32
  lea rax, [rax + rdx + ${cycles}]
  mov rdx, rax
  shr rdx, 32
  mov ecx, 0x6e0
  wrmsr
`;
const noDeadline = `
  mov ecx, 0x6e0
  xor eax, eax
  xor edx, edx
  wrmsr
`;
const count = (lvt: number, initial = COUNT) => `
  mov dword [rsi + 0x320], ${lvt}
  mov dword [rsi + 0x380], ${initial}
`;
const tscDeadline = `
  mov dword [rsi + 0x320], 0x40071
  ${deadline(COUNT)}
`;

interface Row {
  start: string;
  stop: string;
  /** What the host does to stop it. */
  act?: (context: DriveContext) => void;
  trace?: string;
  /** What the guest does then, and its exits. */
  behind?: string;
  exit?: string;
  requires?: CaseDefinition["requires"];
}

const rows: Record<string, Row> = {
  "count-0": { start: count(0x71), stop: "mov dword [rsi + 0x380], 0" },
  "periodic-count-0": { start: count(0x20071), stop: "mov dword [rsi + 0x380], 0" },
  "another-count": { start: count(0x71), stop: `mov dword [rsi + 0x380], ${FAR}` },
  "to-deadline": {
    start: count(0x71),
    stop: "mov dword [rsi + 0x320], 0x40071",
    requires: ["KVM_CAP_TSC_DEADLINE_TIMER"],
  },
  "deadline-0": { start: tscDeadline, stop: noDeadline, requires: ["KVM_CAP_TSC_DEADLINE_TIMER"] },
  "another-deadline": {
    start: tscDeadline,
    stop: `${deadline(FAR)}\n${deadline(FAR)}`,
    requires: ["KVM_CAP_TSC_DEADLINE_TIMER"],
  },
  "deadline-to-one-shot": {
    start: tscDeadline,
    stop: "mov dword [rsi + 0x320], 0x71",
    requires: ["KVM_CAP_TSC_DEADLINE_TIMER"],
  },
  "restored": {
    start: count(0x71, LONGER),
    stop: "",
    act({ vcpu }) {
      const page = vcpu.lapic();
      const view = new DataView(page.buffer);
      for (const offset of [0x380, 0x390]) view.setUint32(offset, 0, true);
      vcpu.setLapic(page);
    },
    trace: "> set-lapic",
  },
  // INIT, from which the host takes the vCPU back to where it was.
  "reset": {
    start: count(0x71, LONGER),
    stop: "",
    act({ vm, vcpu, assertEquals }) {
      const [registers, system] = [vcpu.regs(), vcpu.sregs()];
      vm.irq.signalMsi({ address: 0xfee00000, data: 0x500 });
      assertEquals("runnable", vcpu.mpState(), 0);
      assertEquals("reset", vcpu.regs().rip, 0xfff0n);
      vcpu.setSregs(system);
      vcpu.setRegs(registers);
    },
    trace: `
      > msi address=0xfee00000 data=0x500 -> 0x1
      > set-sregs
      > set-regs
    `,
    behind: `
      mov dword [rsi + 0xf0], 0x1ff
      mov dword [rsi + 0x320], 0x71
      out 0x11, al
    `,
    exit: "pio out 0x11 u8 *",
  },
};

/** A timer that is stopped, or set to another time, does not interrupt at the former one. */
export default defineCases("timer/apic-stopped", rows, (row) => ({
  spec: [
    "SDM 3A 10.5.4: APIC timer (a write of 0 to the initial-count register stops it)",
    "SDM 3A 10.5.4.1: TSC-deadline mode (a change of the mode, or a write of 0, disarms the timer)",
    "KVM API 4.58: KVM_SET_LAPIC",
  ],
  mode: "long",
  irqchip: "kernel",
  requires: row.requires,
  registers: { rsi: 0xfee00000n },
  handlers: { 0x71: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x3e0], 0xb    ; divided by 1
    again:
    ${row.start}
    ${row.stop}
    cmp dword [rsi + 0x230], 0      ; IRR of vectors 0x60 to 0x7f: it was not too late
    je stopped
    sti
    nop
    cli
    jmp again
    stopped:
    out 0x10, al                    ; the host waits
    ${row.behind ?? ""}
    mov ebx, [rsi + 0x230]
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    out 0xf4, al
    handler:
    mov dword [rsi + 0xb0], 0
    iretq
  `,
  drive(context) {
    const { run, vcpu } = context;
    if (row.requires) vcpu.setCpuid(withTscDeadline());
    run();
    row.act?.(context);
    const end = performance.now() + (row.act ? 50 : 10);
    while (performance.now() < end);
  },
  trace: `
    ${row.requires ? "> set-cpuid" : ""}
    pio out 0x10 u8 *
    ${row.trace ?? ""}
    ${row.exit ?? ""}
    pio out 0xf4 u8 0x0
    = rflags 0x46
    = mem 0x7fd8 u64 [* * * * *]
  `,
}));

/** CPUID.1:ECX.TSC_DEADLINE is the VMM's to set. */
function withTscDeadline() {
  return offered((entry) => entry.function === 1 ? { ecx: (entry.ecx | 1 << 24) >>> 0 } : {});
}
