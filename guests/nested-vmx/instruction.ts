import { asm, defineCases } from "../../mod.ts";
import {
  DATA,
  flushed,
  machine,
  quadwords,
  RECORD,
  requires,
  requiresEpt,
  revision,
  VMCS,
  VMXON,
} from "./_vmx.ts";

/** How far the hypervisor has come: VMX is off, is on, has a current VMCS. */
type Stage = "off" | "on" | "current";

interface Row {
  stage: Stage;
  /** What is done behind the stage, flags aside. */
  before?: string;
  /** The instruction; its operands are at `operands`, by quadword. */
  code: string;
  operands?: readonly (bigint | number)[];
  /** The first word of the VMXON region or the VMCS, in place of the revision identifier. */
  revise?: (identifier: number) => number;
  /** `true` succeeds, "invalid" is VMfailInvalid, and a number is VMfailValid's. */
  outcome: true | "invalid" | number;
  /** Whether there is a current VMCS behind it. */
  current?: boolean;
  /** Quadwords at the operands, behind it. */
  memory?: readonly (bigint | number)[];
  state?: string;
}

const OPERANDS = DATA + 0x40;
const operand = (index: number) => `[${OPERANDS + index * 8}]`;
const beyond = 0x8000000000000000n;
const none = 0xffffffffffffffffn;
const withPointer = { code: `vmptrld ${operand(0)}` };

const rows: Record<string, Row> = {
  vmxon: { stage: "off", code: `vmxon [${DATA}]`, outcome: true },
  "vmxon-unaligned": {
    stage: "off",
    code: `vmxon ${operand(0)}`,
    operands: [VMXON + 0x800],
    outcome: "invalid",
  },
  "vmxon-beyond-physical": {
    stage: "off",
    code: `vmxon ${operand(0)}`,
    operands: [beyond | BigInt(VMXON)],
    outcome: "invalid",
  },
  "vmxon-revision": {
    stage: "off",
    code: `vmxon [${DATA}]`,
    revise: (identifier) => identifier ^ 1,
    outcome: "invalid",
  },
  "vmxon-revision-shadow": {
    stage: "off",
    code: `vmxon [${DATA}]`,
    revise: (identifier) => identifier | 0x80000000,
    outcome: "invalid",
  },
  "vmxon-again": { stage: "on", code: `vmxon [${DATA}]`, outcome: "invalid" },
  "vmxon-again-with-vmcs": { stage: "current", code: `vmxon [${DATA}]`, outcome: 15 },
  vmxoff: { stage: "current", code: "vmxoff\nvmxon [0xa000]", outcome: true, current: false },
  vmclear: {
    stage: "on",
    code: `vmclear [${DATA + 8}]`,
    outcome: true,
  },
  "vmclear-current": {
    stage: "current",
    code: `vmclear [${DATA + 8}]`,
    outcome: true,
    current: false,
  },
  "vmclear-unaligned": {
    stage: "current",
    code: `vmclear ${operand(0)}`,
    operands: [VMCS + 1],
    outcome: 2,
  },
  "vmclear-beyond-physical": {
    stage: "current",
    code: `vmclear ${operand(0)}`,
    operands: [beyond | BigInt(VMCS)],
    outcome: 2,
  },
  "vmclear-vmxon-pointer": { stage: "current", code: `vmclear [${DATA}]`, outcome: 3 },
  "vmclear-vmxon-pointer-without-vmcs": {
    stage: "on",
    code: `vmclear [${DATA}]`,
    outcome: "invalid",
  },
  vmptrld: { stage: "on", code: `vmptrld [${DATA + 8}]`, outcome: true, current: true },
  "vmptrld-again": { stage: "current", code: `vmptrld [${DATA + 8}]`, outcome: true },
  "vmptrld-unaligned": { stage: "current", ...withPointer, operands: [VMCS + 8], outcome: 9 },
  "vmptrld-beyond-physical": {
    stage: "current",
    ...withPointer,
    operands: [beyond | BigInt(VMCS)],
    outcome: 9,
  },
  "vmptrld-vmxon-pointer": { stage: "current", code: `vmptrld [${DATA}]`, outcome: 10 },
  "vmptrld-revision": {
    stage: "current",
    ...withPointer,
    operands: [0xf000],
    outcome: 11,
  },
  "vmptrld-no-memory": { stage: "current", ...withPointer, operands: [0xd0000000], outcome: 11 },
  "vmptrld-revision-without-vmcs": {
    stage: "on",
    ...withPointer,
    operands: [0xf000],
    outcome: "invalid",
  },
  vmptrst: {
    stage: "current",
    code: `vmptrst ${operand(0)}`,
    operands: [0],
    memory: [VMCS],
    outcome: true,
  },
  "vmptrst-none": {
    stage: "on",
    code: `vmptrst ${operand(0)}`,
    operands: [0],
    memory: [none],
    outcome: true,
  },
  "vmptrst-behind-clear": {
    stage: "current",
    before: `vmclear [${DATA + 8}]`,
    code: `vmptrst ${operand(0)}`,
    operands: [0],
    memory: [none],
    outcome: true,
    current: false,
  },
  "vmread-without-vmcs": {
    stage: "on",
    before: "mov ebx, 0x681e",
    code: "vmread rdx, rbx",
    outcome: "invalid",
    state: "= rbx 0x681e",
  },
  "vmread-unsupported": {
    stage: "current",
    before: "mov ebx, 0x7ffe",
    code: "vmread rdx, rbx",
    outcome: 12,
    state: "= rbx 0x7ffe",
  },
  // The encoding is the whole register, and nothing stands above bit 31.
  "vmread-beyond": {
    stage: "current",
    before: "mov rbx, 0x10000681e",
    code: "vmread rdx, rbx",
    outcome: 12,
    state: "= rbx 0x10000681e",
  },
  "vmread-reserved-bit": {
    stage: "current",
    before: "mov ebx, 0x881e",
    code: "vmread rdx, rbx",
    outcome: 12,
    state: "= rbx 0x881e",
  },
  // High access is for 64-bit fields.
  "vmread-high-of-32": {
    stage: "current",
    before: "mov ebx, 0x4001",
    code: "vmread rdx, rbx",
    outcome: 12,
    state: "= rbx 0x4001",
  },
  "vmwrite-without-vmcs": {
    stage: "on",
    before: "mov ebx, 0x681e",
    code: "vmwrite rbx, rdx",
    outcome: "invalid",
    state: "= rbx 0x681e",
  },
  "vmwrite-unsupported": {
    stage: "current",
    before: "mov ebx, 0x4828",
    code: "vmwrite rbx, rdx",
    outcome: 12,
    state: "= rbx 0x4828",
  },
  "vmwrite-beyond": {
    stage: "current",
    before: "mov rbx, 0x10000681e",
    code: "vmwrite rbx, rdx",
    outcome: 12,
    state: "= rbx 0x10000681e",
  },
  "vmlaunch-without-vmcs": { stage: "on", code: "vmlaunch", outcome: "invalid" },
  "vmresume-without-vmcs": { stage: "on", code: "vmresume", outcome: "invalid" },
  "vmresume-not-launched": { stage: "current", code: "vmresume", outcome: 5 },
  // The controls are all 0, which no processor takes.
  "vmlaunch-empty": { stage: "current", code: "vmlaunch", outcome: 7 },
  "vmlaunch-behind-mov-ss": {
    stage: "current",
    code: "mov ss, ebx\nvmlaunch",
    before: "mov ebx, 0x30",
    outcome: 26,
    state: "= rbx 0x30",
  },
  "vmresume-behind-mov-ss": {
    stage: "current",
    code: "mov ss, ebx\nvmresume",
    before: "mov ebx, 0x30",
    outcome: 26,
    state: "= rbx 0x30",
  },
};

for (const type of [0, 1, 2, 3, 32]) {
  rows[`invept-${type}`] = {
    stage: "current",
    before: `mov ebx, ${type}`,
    code: `invept rbx, ${operand(0)}`,
    operands: [0x10001e, 0],
    outcome: type === 1 || type === 2 || 28,
    ...(type > 0 && { state: `= rbx 0x${type.toString(16)}` }),
  };
}
const pointers = {
  "memory-type": 0x10001dn,
  "walk-length": 0x100016n,
  "reserved-bit": 0x10009en,
  "beyond-physical": beyond | 0x10001en,
};
for (const [name, pointer] of Object.entries(pointers)) {
  rows[`invept-pointer-${name}`] = {
    stage: "current",
    before: "mov ebx, 1",
    code: `invept rbx, ${operand(0)}`,
    operands: [pointer, 0],
    outcome: 28,
    state: "= rbx 0x1",
  };
  // All contexts need no pointer.
  rows[`invept-all-pointer-${name}`] = {
    stage: "current",
    before: "mov ebx, 2",
    code: `invept rbx, ${operand(0)}`,
    operands: [pointer, 0],
    outcome: true,
    state: "= rbx 0x2",
  };
}
for (const type of [0, 1, 2, 3, 4, 32]) {
  const invvpid = {
    stage: "current" as const,
    before: `mov ebx, ${type}`,
    code: `invvpid rbx, ${operand(0)}`,
    ...(type > 0 && { state: `= rbx 0x${type.toString(16)}` }),
  };
  rows[`invvpid-${type}`] = { ...invvpid, operands: [1, 0x5000], outcome: type < 4 || 28 };
  if (type > 3) continue;
  // All contexts (2) need no VPID, but its reserved bits are looked at nevertheless.
  rows[`invvpid-${type}-zero`] = {
    ...invvpid,
    operands: [0, 0x5000],
    outcome: type === 2 || 28,
  };
  rows[`invvpid-${type}-reserved`] = { ...invvpid, operands: [0x10001, 0x5000], outcome: 28 };
  // Only an individual address has to be one.
  rows[`invvpid-${type}-not-canonical`] = {
    ...invvpid,
    operands: [1, 0x800000000000n],
    outcome: type !== 0 || 28,
  };
}

const stages: Record<Stage, string> = { off: "", on: `vmxon [${DATA}]`, current: "" };
stages.current = `${stages.on}\nvmclear [${DATA + 8}]\nvmptrld [${DATA + 8}]`;

/** The instructions of VMX: what each is told by the six arithmetic flags and by the error number. */
export default defineCases("nested-vmx/instruction", rows, (row) => {
  const { stage, before = "", code, operands = [], revise, outcome } = row;
  const current = row.current ?? (stage === "current");
  const isOff = stage === "off" && outcome !== true;
  const flags = outcome === true ? 0x2 : outcome === "invalid" ? 0x3 : 0x42;
  return {
    spec: [
      "SDM 3C 31.2: conventions",
      "SDM 3C 31.3: VMX instructions",
      "SDM 3C 31.4: error numbers",
    ],
    mode: "long",
    // Without EPT there is no INVEPT.
    requires: code.startsWith("invept") ? requiresEpt : requires,
    machine,
    guest: asm`
      mov ecx, 0x3a
      mov eax, 5
      wrmsr
      xor ecx, ecx
      ${stages[stage]}
      ${before}
      push 0x8d7
      popfq
      ${code}
      pushfq
      ${
      // Without VMX operation there is nothing to ask.
      isOff ? "" : `
      mov eax, 0x4400
      vmread [${RECORD}], rax
      `}
      hlt
    `,
    drive: (context) => {
      const identifier = revision(context);
      context.write(VMCS, identifier);
      const [word] = new Uint32Array(identifier.buffer as ArrayBuffer);
      context.write(
        VMXON,
        new Uint8Array(new Uint32Array([revise ? revise(word) : word]).buffer),
      );
      context.write(DATA, quadwords([VMXON, VMCS]));
      context.write(OPERANDS, quadwords(operands));
      context.run();
    },
    trace: `
      hlt
      = rax ${isOff ? "0x5" : "0x4400"}
      = rsp 0x7ff8
      ${row.state ?? ""}
      = rflags ${current ? "0x2" : isOff ? `0x${flags.toString(16)}` : "0x3"}
      = mem 0x7ff8 u64 0x${flags.toString(16)}
      = mem 0x${RECORD.toString(16)} u64 0x${
      (typeof outcome === "number" ? outcome : 0).toString(16)
    }
      ${
      row.memory
        ? `= mem 0x${OPERANDS.toString(16)} u64 [${
          row.memory.map((value) => `0x${value.toString(16)}`).join(" ")
        }]`
        : ""
    }
      ${row.current === false ? flushed : ""}
    `,
  };
});
