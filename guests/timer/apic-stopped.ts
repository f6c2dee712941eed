import { asm, type CaseDefinition, defineCases, type DriveContext } from "../../mod.ts";
import { offered } from "../_cpuid.ts";

const [COUNT, FAR] = ["0x400000", "0x7fffffff"];

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
const count = (lvt: number) => `
  mov dword [rsi + 0x320], ${lvt}
  mov dword [rsi + 0x380], ${COUNT}
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
    start: count(0x71),
    stop: "",
    act({ vcpu }) {
      const page = vcpu.lapic();
      const view = new DataView(page.buffer);
      for (const offset of [0x380, 0x390]) view.setUint32(offset, 0, true);
      vcpu.setLapic(page);
    },
    trace: "> set-lapic",
  },
};

/** A timer that is stopped, or set to another time, does not interrupt at the former one. */
export default defineCases("timer/apic-stopped", rows, ({ start, stop, act, trace, requires }) => ({
  spec: [
    "SDM 3A 10.5.4: APIC timer (a write of 0 to the initial-count register stops it)",
    "SDM 3A 10.5.4.1: TSC-deadline mode (a change of the mode, or a write of 0, disarms the timer)",
    "KVM API 4.58: KVM_SET_LAPIC",
  ],
  mode: "long",
  irqchip: "kernel",
  requires,
  registers: { rsi: 0xfee00000n },
  handlers: { 0x71: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x3e0], 0xb    ; divided by 1
    again:
    ${start}
    ${stop}
    cmp dword [rsi + 0x230], 0      ; IRR of vectors 0x60 to 0x7f: it was not too late
    je stopped
    sti
    nop
    cli
    jmp again
    stopped:
    out 0x10, al                    ; the host waits
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
    if (requires) vcpu.setCpuid(withTscDeadline());
    run();
    act?.(context);
    const end = performance.now() + 10;
    while (performance.now() < end);
  },
  trace: `
    ${requires ? "> set-cpuid" : ""}
    pio out 0x10 u8 *
    ${trace ?? ""}
    pio out 0xf4 u8 0x0
    = rflags 0x46
  `,
}));

/** CPUID.1:ECX.TSC_DEADLINE is the VMM's to set. */
function withTscDeadline() {
  return offered((entry) => entry.function === 1 ? { ecx: (entry.ecx | 1 << 24) >>> 0 } : {});
}
