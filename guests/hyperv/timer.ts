import { asm, defineCases } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

/** Enable (bit 0), periodic (1), vector (11 to 4), direct mode (12). */
const rows = {
  "one-shot": { config: 0x1711, count: "deadline", interrupts: 1 },
  periodic: { config: 0x1713, count: "period", interrupts: 2 },
} as const;

/** A synthetic timer in direct mode raises its vector at a reference time, or in each period. */
export default defineCases("hyperv/timer", rows, ({ config, count, interrupts }) => ({
  spec: "TLFS 12.3: synthetic timers (direct mode)",
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, "KVM_CAP_HYPERV_SYNIC2"],
  handlers: { 0x71: "handler" },
  registers: { rsi: 0xfee00000n },
  ...underHyperv({
    guest: asm`
      mov dword [rsi + 0xf0], 0x1ff
      mov ecx, 0x400000b0
      mov eax, ${config}
      xor edx, edx
      wrmsr
      ${
      count === "deadline"
        ? `
          mov ecx, 0x40000020         ; reference time, in units of 100 ns
          rdmsr
          add eax, 1000
          adc edx, 0
        `
        : "mov eax, 100000\nxor edx, edx"
    }
      mov ecx, 0x400000b1
      wrmsr
      wait:
      sti
      hlt
      cli
      cmp ebx, ${interrupts}
      jb wait
      mov ecx, 0x400000b1             ; a count of 0 stops it
      xor eax, eax
      xor edx, edx
      wrmsr
      mov ecx, 0x400000b0
      rdmsr
      and eax, 1                      ; and it is not enabled any more
      out 0xf4, al
      handler:
      inc ebx
      mov dword [rsi + 0xb0], 0
      iretq
    `,
    trace: `
      > enable hyperv-synic2
      pio out 0xf4 u8 0x0
      = rax 0x0
      = rbx *
      = rcx 0x400000b0
      = rdx 0x0
      = rflags 0x46
      = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
    `,
  }, ({ vcpu }) => vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2")),
}));
