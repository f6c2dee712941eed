import { asm, defineCases, Kvm } from "../../mod.ts";

const lvt = (mode: number) => `
  mov dword [rsi + 0xf0], 0x1ff
  mov dword [rsi + 0x320], ${mode}
`;

const rows = {
  // In the timer's other modes IA32_TSC_DEADLINE reads 0 and ignores writes.
  "one-shot": {
    guest: `${lvt(0x71)}
      mov ecx, 0x6e0
      mov eax, -1
      mov edx, 0x7fffffff
      wrmsr
      rdmsr`,
    state: "= rax 0x0\n= rdx 0x0\n= rcx 0x6e0",
  },
  armed: {
    guest: `${lvt(0x40071)}
      mov ecx, 0x6e0
      mov eax, 0x11223344
      mov edx, 0x7fffffff
      wrmsr
      xor eax, eax
      xor edx, edx
      rdmsr`,
    state: "= rax 0x11223344\n= rdx 0x7fffffff\n= rcx 0x6e0\n= rflags 0x46",
  },
  disarmed: {
    guest: `${lvt(0x40071)}
      mov ecx, 0x6e0
      mov eax, 0x11223344
      mov edx, 0x7fffffff
      wrmsr
      xor eax, eax
      xor edx, edx
      wrmsr
      rdmsr`,
    state: "= rax 0x0\n= rdx 0x0\n= rcx 0x6e0\n= rflags 0x46",
  },
  // Writing the LVT with another mode disarms.
  "mode-left": {
    guest: `${lvt(0x40071)}
      mov ecx, 0x6e0
      mov eax, 0x11223344
      mov edx, 0x7fffffff
      wrmsr
      mov dword [rsi + 0x320], 0x71
      mov dword [rsi + 0x320], 0x40071
      rdmsr`,
    state: "= rax 0x0\n= rdx 0x0\n= rcx 0x6e0",
  },
  // A deadline that is past fires at once, once, and the MSR is 0 then.
  past: {
    guest: `${lvt(0x40071)}
      mov ecx, 0x6e0
      mov eax, 1
      xor edx, edx
      wrmsr
      sti
      hlt
      cli
      mov dword [rsi + 0xb0], 0
      rdmsr
      mov ebp, [rsi + 0x230]`,
    state:
      "= rax 0x0\n= rdx 0x0\n= rcx 0x6e0\n= rbx 0x1\n= rflags 0x46\n= mem 0x7fd8 u64 [* 0x28 0x246 0x8000 0x30]",
  },
  // One to come fires once it is reached, and not before.
  future: {
    guest: `${lvt(0x40071)}
      rdtsc
      shl rdx, 32
      lea rbp, [rax + rdx]
      add rbp, [0xa000]             ; twenty milliseconds
      mov rax, rbp
      mov rdx, rbp
      shr rdx, 32
      mov ecx, 0x6e0
      wrmsr
      sti
      waiting:
      pause
      cmp bl, 1
      jne waiting
      cli
      rdtsc
      shl rdx, 32
      add rax, rdx
      cmp rax, rbp
      setae bh                      ; reached
      mov dword [rsi + 0xb0], 0
      mov ecx, 0x6e0
      rdmsr
      xor ebp, ebp`,
    state:
      "= rax 0x0\n= rdx 0x0\n= rcx 0x6e0\n= rbx 0x101\n= rflags 0x46\n= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]",
  },
  // The initial count is none of this mode's.
  "initial-count-ignored": {
    guest: `${lvt(0x40071)}
      mov dword [rsi + 0x380], 0x1000
      mov eax, [rsi + 0x380]
      mov edx, [rsi + 0x390]`,
    state: "= rax 0x0\n= rdx 0x0",
  },
};

/** The local APIC's timer in TSC-deadline mode. */
export default defineCases("msr/tsc-deadline", rows, ({ guest, state }) => ({
  spec: "SDM 3A 10.5.4.1: TSC-deadline mode",
  mode: "long",
  irqchip: "kernel",
  requires: ["KVM_CAP_TSC_DEADLINE_TIMER", "KVM_CAP_GET_TSC_KHZ"],
  registers: { rsi: 0xfee00000n },
  handlers: { 0x71: "handler" },
  guest: asm`
    ${guest}
    out 0xf4, al
    handler:
    inc ebx
    iretq
  `,
  drive: ({ vcpu, write }) => {
    // CPUID.1:ECX.TSC_DEADLINE is the VMM's to set.
    vcpu.setCpuid(withTscDeadline());
    const cycles = new BigUint64Array([BigInt(vcpu.tscKhz()) * 20n]);
    write(0xa000, new Uint8Array(cycles.buffer));
  },
  trace: `
    > set-cpuid
    pio out 0xf4 u8 *
    ${state}
  `,
}));

function withTscDeadline() {
  using kvm = Kvm.open();
  return kvm.supportedCpuid().map((entry) =>
    entry.function === 1 ? { ...entry, ecx: (entry.ecx | 1 << 24) >>> 0 } : entry
  );
}
