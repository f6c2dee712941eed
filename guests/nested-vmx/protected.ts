import { asm, defineCases, selectors } from "../../mod.ts";
import { fieldEncodings } from "./_fields.ts";
import { DATA, enterVmx, quadwords, requires, revision, VMCS, VMXON } from "./_vmx.ts";

interface Row {
  code: string;
  /** The segment in ES: writable, at 0xf000, 4 KiB long, unless it is named. */
  segment?: bigint;
  /** Four 32-bit words at 0xfff0 that are not what was there. */
  words?: Readonly<Partial<Record<0 | 1 | 2 | 3, number>>>;
  /** An exception with error code 0, at the instruction. */
  fault?: true;
  state?: string;
}

const word = 0x55555555;
// A field that every access to it exits for.
const field = fieldEncodings.hostSysenterEsp;
const store = `mov ecx, ${field}\nmov edx, 0x12345678\nvmwrite ecx, edx`;
const stored = `= rcx 0x${field.toString(16)}\n= rdx 0x12345678`;
const offset = fieldEncodings.tscOffset;

const rows: Record<string, Row> = {
  // Of the segment's last 8 bytes, and of one more.
  "vmptrst-at-limit": { code: "fault:\nvmptrst [es:0xff8]", words: { 2: VMCS, 3: 0 } },
  "vmptrst-beyond-limit": { code: "fault:\nvmptrst [es:0xff9]", fault: true },
  "vmptrst-read-only": {
    code: "fault:\nvmptrst [es:0xff8]",
    segment: 0x00409100f0000fffn,
    fault: true,
  },
  "vmptrst-code": {
    code: "fault:\nvmptrst [es:0xff8]",
    segment: 0x00409b00f0000fffn,
    fault: true,
  },
  // Outside of 64-bit mode VMREAD and VMWRITE are of 32 bits.
  "vmread-at-limit": {
    code: `${store}\nfault:\nvmread [es:0xffc], ecx`,
    words: { 3: 0x12345678 },
    state: stored,
  },
  "vmread-beyond-limit": {
    code: `${store}\nfault:\nvmread [es:0xffd], ecx`,
    fault: true,
    state: stored,
  },
  "vmread-one-word": {
    code: `${store}\nfault:\nvmread [es:0xff4], ecx`,
    words: { 1: 0x12345678 },
    state: stored,
  },
  "vmread-code": {
    code: `${store}\nfault:\nvmread [es:0xff4], ecx`,
    segment: 0x00409b00f0000fffn,
    fault: true,
    state: stored,
  },
  "vmwrite-at-limit": {
    code: `mov ecx, ${field}\nfault:\nvmwrite ecx, [es:0xffc]\nvmread edx, ecx`,
    state: `= rcx 0x${field.toString(16)}\n= rdx 0x${word.toString(16)}`,
  },
  "vmwrite-beyond-limit": {
    code: `mov ecx, ${field}\nfault:\nvmwrite ecx, [es:0xffd]`,
    fault: true,
    state: `= rcx 0x${field.toString(16)}`,
  },
  // To be read is what such segments are for.
  "vmwrite-read-only": {
    code: `mov ecx, ${field}\nfault:\nvmwrite ecx, [es:0xff4]\nvmread edx, ecx`,
    segment: 0x00409100f0000fffn,
    state: `= rcx 0x${field.toString(16)}\n= rdx 0x${word.toString(16)}`,
  },
  "vmwrite-code": {
    code: `mov ecx, ${field}\nfault:\nvmwrite ecx, [es:0xff4]\nvmread edx, ecx`,
    segment: 0x00409b00f0000fffn,
    state: `= rcx 0x${field.toString(16)}\n= rdx 0x${word.toString(16)}`,
  },
  // A field of 64 bits: the upper half is a field of its own, and VMWRITE of the whole clears it.
  "wide-field": {
    code: `
      mov ecx, ${offset + 1}
      mov edx, 0x77
      vmwrite ecx, edx
      vmread esi, ecx
      dec ecx
      vmwrite ecx, edx
      inc ecx
      fault:
      vmread edi, ecx
    `,
    state: `= rcx 0x${(offset + 1).toString(16)}\n= rdx 0x77\n= rsi 0x77`,
  },
  "null-segment": {
    code: "xor ecx, ecx\nmov es, ecx\nfault:\nvmptrst [es:0xff8]",
    fault: true,
    state: "= es.selector 0x0\n= es.access 0x10000",
  },
};

/** A hypervisor of 32 bits: its operands are in segments, and of 32 bits in memory. */
export default defineCases("nested-vmx/protected", rows, (row) => {
  const { code, segment = 0x00409300f0000fffn, words = {}, fault, state = "" } = row;
  return {
    spec: [
      "SDM 3C 31.3: VMPTRST, VMREAD, VMWRITE",
      "SDM 3A 5.3: limit checking",
      "SDM 3A 5.4: type checking",
    ],
    mode: "paged",
    requires,
    machine: { cr4: { set: 0x2000n }, descriptors: { 0xf0: segment } },
    handlers: { 13: "handler" },
    guest: asm`
      ${enterVmx}
      xor eax, eax
      mov ecx, 0xf0
      mov es, ecx
      xor ecx, ecx
      push 2
      popfd
      ${code}
      jmp done
      handler:
      mov eax, 0x13
      done:
      hlt
    `,
    drive: (context) => {
      context.write(VMXON, revision(context));
      context.write(VMCS, revision(context));
      context.write(DATA, quadwords([VMXON, VMCS]));
      context.write(0xfff0, new Uint8Array(16).fill(0x55));
      context.run();
    },
    trace: (labels) => `
      hlt
      ${state}
      ${
      state.includes("es.") ? "" : `= es.selector 0xf0
        = es.base 0xf000
        = es.limit 0xfff
        = es.access 0x${(segment >> 40n & 0xffn | 0x4000n).toString(16)}`
    }
      = rflags *
      ${
      fault
        ? `= rax 0x13
      = rsp 0x7ff0
      = mem 0x7ff0 u32 [0x0 ${labels.fault} 0x${selectors.code32.toString(16)} *]`
        : "= mem 0x7ffc u32 0x2"
    }
      = mem 0xfff0 u32 [${
      ([0, 1, 2, 3] as const).map((index) => `0x${(words[index] ?? word).toString(16)}`).join(" ")
    }]
    `,
  };
});
