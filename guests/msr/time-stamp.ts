import { asm, defineCases, type Requirement } from "../../mod.ts";

interface Row {
  requires?: Requirement[];
  guest: string;
  /** The upper half of what moved: 2^40 ticks and less than 2^32 more. */
  state: string;
}

/** Bit 40, which no guest's run time reaches: the upper half of the value is exact. */
const rows: Record<string, Row> = {
  // TSC_ADJUST moves the counter by the difference.
  "adjust-moves-the-counter": {
    requires: [{ cpuid: "TSC-ADJUST" }],
    guest: `
      mov ecx, 0x10
      xor eax, eax
      mov edx, 0x1000
      wrmsr                     ; TSC = 0x1000 << 32
      mov ecx, 0x3b
      rdmsr
      add edx, 0x100
      wrmsr                     ; TSC_ADJUST += 1 << 40
      rdtsc
      mov ebx, edx
    `,
    state: "= rbx 0x1100",
  },
  "adjust-back": {
    requires: [{ cpuid: "TSC-ADJUST" }],
    guest: `
      mov ecx, 0x10
      xor eax, eax
      mov edx, 0x1000
      wrmsr
      mov ecx, 0x3b
      rdmsr
      sub edx, 0x100
      wrmsr
      rdtsc
      mov ebx, edx
    `,
    state: "= rbx 0xf00",
  },
  // A write of the counter is seen in TSC_ADJUST (SDM 3B 18.17.3).
  "counter-moves-adjust": {
    requires: [{ cpuid: "TSC-ADJUST" }],
    guest: `
      mov ecx, 0x10
      xor eax, eax
      mov edx, 0x1000
      wrmsr
      mov ecx, 0x3b
      rdmsr
      mov edi, edx
      mov ecx, 0x10
      xor eax, eax
      mov edx, 0x1300
      wrmsr
      mov ecx, 0x3b
      rdmsr
      mov ebx, edx
      sub ebx, edi
      add ebx, 1                ; the counter has run on by less than 2^32
      and ebx, ~1
      xor edi, edi
    `,
    state: "= rbx 0x300",
  },
  // RDTSCP reads the counter and TSC_AUX, and RDPID the latter.
  "rdtscp": {
    requires: [{ cpuid: "RDTSCP" }],
    guest: `
      mov ecx, 0x10
      xor eax, eax
      mov edx, 0x1000
      wrmsr
      mov ecx, 0xc0000103
      mov eax, 0x12345678
      xor edx, edx
      wrmsr
      mov rcx, -1
      rdtscp
      mov ebx, edx
      mov rsi, rcx
    `,
    state: "= rbx 0x1000\n= rsi 0x12345678",
  },
  "rdpid": {
    requires: [{ cpuid: "RDPID" }],
    guest: `
      mov ecx, 0xc0000103
      mov eax, 0x9abcdef0
      xor edx, edx
      wrmsr
      mov rbx, -1
      db 0xf3, 0x0f, 0xc7, 0xfb ; rdpid rbx
    `,
    state: "= rbx 0x9abcdef0",
  },
};

/** The time-stamp counter, its adjustment and TSC_AUX as the guest reads and writes them. */
export default defineCases("msr/time-stamp", rows, ({ requires = [], guest, state }) => ({
  spec: [
    "SDM 3B 18.17: time-stamp counter",
    "SDM 3B 18.17.2: IA32_TSC_AUX and RDTSCP",
    "SDM 3B 18.17.3: IA32_TSC_ADJUST",
  ],
  mode: "long",
  requires,
  guest: asm`
    ${guest}
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    hlt
  `,
  trace: `
    hlt
    ${state}
    = rflags 0x46
  `,
}));
