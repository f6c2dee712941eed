import { asm, defineCases } from "../../mod.ts";
import { fieldEncodings } from "./_fields.ts";
import { DATA, enterVmx, machine, quadwords, requires, revision, VMCS, VMXON } from "./_vmx.ts";

interface Row {
  before: string;
  code: string;
  /** What is there at 0xf010 before, and behind it. */
  memory?: readonly [before: bigint, behind: bigint];
  state: string;
}

/** The address that every operand comes to. */
const TARGET = 0xf010;
const around = 0x5555555555555555n;
const base = (register: string, value: bigint) =>
  `mov ecx, 0x${register}\nmov eax, 0x${value.toString(16)}\nxor edx, edx\nwrmsr\nxor eax, eax\n`;

const rows: Record<string, Row> = {
  displacement: {
    before: "mov ebx, 0xf000",
    code: "vmptrst [rbx + 0x10]",
    state: "= rbx 0xf000",
  },
  "displacement-negative": {
    before: "mov ebx, 0xf020",
    code: "vmptrst [rbx - 0x10]",
    state: "= rbx 0xf020",
  },
  "displacement-alone": { before: "", code: `vmptrst [${TARGET}]`, state: "" },
  "base-of-64-bit-registers": {
    before: "mov r9d, 0xe010\nmov r14d, 0x800",
    code: "vmptrst [r9 + r14*2]",
    state: "= r9 0xe010\n= r14 0x800",
  },
  "index-alone": {
    before: "mov ecx, 0x1e00",
    code: "vmptrst [rcx*8 + 0x10]",
    state: "= rcx 0x1e00",
  },
  "stack-pointer": { before: "", code: "vmptrst [rsp + 0x7010]", state: "" },
  // An address of 32 bits: what is above them in the registers, and in the sum, does not count.
  "32-bit": {
    before: "mov rbx, 0x700000f000",
    code: "vmptrst [ebx + 0x10]",
    state: "= rbx 0x700000f000",
  },
  "32-bit-negative": {
    before: "mov rbx, 0x700000f020",
    code: "vmptrst [ebx - 0x10]",
    state: "= rbx 0x700000f020",
  },
  "32-bit-wraps": {
    before: "mov ebx, 0xffffff10\nmov ecx, 0x3c40",
    code: "vmptrst [ebx + ecx*4]",
    state: "= rbx 0xffffff10\n= rcx 0x3c40",
  },
  // FS and GS have bases in 64-bit mode, which come on top of 32-bit addresses.
  fs: {
    before: `${base("c0000100", 0xe000n)}mov ebx, 0x1000`,
    code: "vmptrst [fs:rbx + 0x10]",
    state: "= rbx 0x1000\n= rcx 0xc0000100\n= fs.base 0xe000",
  },
  gs: {
    before: `${base("c0000101", 0xe000n)}mov ebx, 0x1000`,
    code: "vmptrst [gs:rbx + 0x10]",
    state: "= rbx 0x1000\n= rcx 0xc0000101\n= gs.base 0xe000",
  },
  "vmread-memory": {
    before:
      `mov rdx, 0x123456789abcdef0\nmov ecx, ${fieldEncodings.hostSysenterEsp}\nvmwrite rcx, rdx\nmov ebx, 0x1e00`,
    code: "vmread [rbx*8 + 0x10], rcx",
    memory: [around, 0x123456789abcdef0n],
    state: "= rcx 0x6c10\n= rbx 0x1e00\n= rdx 0x123456789abcdef0",
  },
  // A field of 32 bits is written as 64 nevertheless.
  "vmread-memory-narrow-field": {
    before:
      `mov edx, 0x12345678\nmov ecx, ${fieldEncodings.cr3TargetCount}\nvmwrite rcx, rdx\nmov ebx, 0xf000`,
    code: "vmread [rbx + 0x10], rcx",
    memory: [around, 0x12345678n],
    state: "= rcx 0x400a\n= rbx 0xf000\n= rdx 0x12345678",
  },
  "vmwrite-memory": {
    before: `mov ecx, ${fieldEncodings.hostSysenterEsp}\nmov ebx, 0x3c00`,
    code: "vmwrite rcx, [rbx*4 + 0x10]\nvmread rdx, rcx",
    memory: [0x8899aabbccddeeffn, 0x8899aabbccddeeffn],
    state: "= rcx 0x6c10\n= rbx 0x3c00\n= rdx 0x8899aabbccddeeff",
  },
};
for (const scale of [1, 2, 4, 8]) {
  rows[`scale-${scale}`] = {
    before: `mov ebx, 0xf008\nmov ecx, 0x${(8 / scale).toString(16)}`,
    code: `vmptrst [rbx + rcx*${scale}]`,
    state: `= rbx 0xf008\n= rcx 0x${(8 / scale).toString(16)}`,
  };
}

/** The operand in memory of a VMX instruction is where its address says, as for any instruction. */
export default defineCases("nested-vmx/address", rows, (row) => {
  const { before, code, state, memory = [around, BigInt(VMCS)] } = row;
  return {
    spec: [
      "SDM 1 3.7.5: specifying an offset",
      "SDM 3C 31.3: VMPTRST, VMREAD, VMWRITE",
    ],
    mode: "long",
    requires,
    machine,
    guest: asm`
      ${enterVmx}
      xor eax, eax
      xor ecx, ecx
      ${before}
      ${code}
      pushfq
      pop rsi
      hlt
    `,
    drive: (context) => {
      context.write(VMXON, revision(context));
      context.write(VMCS, revision(context));
      context.write(DATA, quadwords([VMXON, VMCS]));
      context.write(TARGET - 8, quadwords([around, memory[0], around]));
      context.run();
    },
    trace: `
      hlt
      = rsi 0x2
      ${state}
      = rflags *
      = mem 0x7ff8 u64 0x2
      = mem 0x${(TARGET - 8).toString(16)} u64 [0x${
      [around, memory[1], around].map((value) => value.toString(16)).join(" 0x")
    }]
    `,
  };
});
