import { asm, defineCases } from "../../mod.ts";
import { offered } from "../_cpuid.ts";

/** CPUID.1:ECX.TSC_DEADLINE. */
const DEADLINE = 1 << 24;

const rows = {
  "there": { there: true, periodic: 0x200fd, deadline: 0x400fd },
  "absent": { there: false, periodic: 0x200fd, deadline: 0xfd },
};

/** The local APIC's timer has the mode of a deadline where CPUID shows it: the bit is reserved else. */
export default defineCases("cpuid/deadline-timer", rows, ({ there, periodic, deadline }) => ({
  spec: ["SDM 3A 11.5.4: APIC timer (modes)", "KVM API 4.20: KVM_SET_CPUID2"],
  mode: "long",
  irqchip: "kernel",
  requires: ["KVM_CAP_TSC_DEADLINE_TIMER"],
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x320], 0x200fd
    mov eax, [rsi + 0x320]
    out 0x10, eax
    mov dword [rsi + 0x320], 0x400fd
    mov eax, [rsi + 0x320]
    out 0xf4, eax
  `,
  drive: ({ vcpu }) =>
    vcpu.setCpuid(
      offered(({ function: leaf, ecx }) =>
        leaf === 1 ? { ecx: (there ? ecx | DEADLINE : ecx & ~DEADLINE) >>> 0 } : {}
      ),
    ),
  trace: `
    > set-cpuid
    pio out 0x10 u32 0x${periodic.toString(16)}
    pio out 0xf4 u32 0x${deadline.toString(16)}
    = rax 0x${deadline.toString(16)}
  `,
}));
