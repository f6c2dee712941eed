import { asm, defineCases, selectors } from "../../mod.ts";
import {
  DATA,
  enterVmx,
  machine,
  quadwords,
  requires,
  requiresEpt,
  revision,
  VMCS,
  VMXON,
} from "./_vmx.ts";

interface Row {
  /** VMX is on, with a current VMCS, unless a row says otherwise. */
  off?: true;
  before?: string;
  code: string;
  vector: 6 | 12 | 13 | 14;
  error?: number;
  cr2?: string;
  /** The instruction is executed at CPL 3. */
  user?: true;
  machine?: { cr0?: { clear?: bigint }; cr4?: { set?: bigint; clear?: bigint } };
  /** IA32_FEATURE_CONTROL. */
  control?: number;
  state?: string;
}

const rows: Record<string, Row> = {};
const instructions = {
  vmclear: "vmclear [rbx]",
  vmptrld: "vmptrld [rbx]",
  vmptrst: "vmptrst [rbx]",
  vmread: "vmread [rbx], rcx",
  vmwrite: "vmwrite rcx, [rbx]",
  invept: "invept rdx, [rbx]",
  invvpid: "invvpid rdx, [rbx]",
};
const writes = ["vmptrst", "vmread"];
/** Any of the two invalidations has type 1, and a field that is there. */
const operands = "mov ecx, 0x6800\nmov edx, 1\n";
const state = (rbx: string) => `= rbx ${rbx}\n= rcx 0x6800\n= rdx 0x1`;
for (const [name, code] of Object.entries(instructions)) {
  rows[`${name}-not-canonical`] = {
    before: `${operands}mov rbx, 0x800000000000`,
    code,
    vector: 13,
    error: 0,
    state: state("0x800000000000"),
  };
  rows[`${name}-stack-not-canonical`] = {
    before: `${operands}mov rbp, 0x800000000000`,
    code: code.replace("rbx", "rbp"),
    vector: 12,
    error: 0,
    state: "= rbp 0x800000000000\n= rcx 0x6800\n= rdx 0x1",
  };
  rows[`${name}-not-present`] = {
    before: `${operands}mov rbx, 0x140000010`,
    code,
    vector: 14,
    error: writes.includes(name) ? 2 : 0,
    cr2: "0x140000010",
    state: state("0x140000010"),
  };
  if (name === "invept" || name === "invvpid") continue;
  rows[`${name}-without-vmx`] = {
    off: true,
    before: "mov ebx, 0xf000",
    code,
    vector: 6,
    state: "= rbx 0xf000",
  };
}
for (
  const [name, code] of Object.entries({
    vmlaunch: "vmlaunch",
    vmresume: "vmresume",
    vmxoff: "vmxoff",
  })
) {
  rows[`${name}-without-vmx`] = { off: true, code, vector: 6 };
}
for (
  const [name, code] of Object.entries({
    ...instructions,
    vmlaunch: "vmlaunch",
    vmxoff: "vmxoff",
    vmxon: "vmxon [rbx]",
  })
) {
  rows[`${name}-user`] = {
    user: true,
    before: `${operands}mov ebx, ${DATA + 8}`,
    code,
    vector: 13,
    error: 0,
    state: state(`0x${(DATA + 8).toString(16)}`),
  };
}
rows["invept-without-vmx"] = { off: true, code: `invept rdx, [${DATA}]`, vector: 6 };
rows["invvpid-without-vmx"] = { off: true, code: `invvpid rdx, [${DATA}]`, vector: 6 };
rows["vmfunc"] = { code: "vmfunc", vector: 6 };
const vmxon = { off: true, code: `vmxon [${DATA}]` } as const;
rows["vmxon-not-enabled"] = { ...vmxon, vector: 6, machine: { cr4: { clear: 0x2000n } } };
rows["vmxon-without-numeric-error"] = {
  ...vmxon,
  vector: 13,
  error: 0,
  machine: { cr0: { clear: 0x20n } },
};
// VMXON outside SMX (bit 2) has to be allowed, and locked (bit 0).
for (const control of [0, 1, 2, 3, 4]) {
  rows[`vmxon-feature-control-${control}`] = { ...vmxon, vector: 13, error: 0, control };
}
rows["vmxon-not-canonical"] = {
  off: true,
  before: "mov rbx, 0x800000000000",
  code: "vmxon [rbx]",
  vector: 13,
  error: 0,
  state: "= rbx 0x800000000000",
};
rows["vmxon-not-present"] = {
  off: true,
  before: "mov rbx, 0x140000010",
  code: "vmxon [rbx]",
  vector: 14,
  error: 0,
  cr2: "0x140000010",
  state: "= rbx 0x140000010",
};
// In VMX operation some bits of CR0 and CR4 are fixed.
rows["clear-vmxe"] = {
  before: "mov rbx, cr4\nand ebx, 0xffffdfff",
  code: "mov cr4, rbx",
  vector: 13,
  error: 0,
  state: "= rbx 0x20",
};
rows["clear-numeric-error"] = {
  before: "mov rbx, cr0\nand ebx, 0xffffffdf",
  code: "mov cr0, rbx",
  vector: 13,
  error: 0,
  state: "= rbx 0x80010011",
};
rows["lock-feature-control"] = {
  // Locked by `enterVmx`.
  before: "mov ecx, 0x3a\nmov eax, 4\nxor edx, edx",
  code: "wrmsr",
  vector: 13,
  error: 0,
  state: "= rcx 0x3a\n= rax 0x4",
};
rows["feature-control-reserved"] = {
  off: true,
  control: 0,
  before: "mov ecx, 0x3a\nmov eax, 0x10\nxor edx, edx",
  code: "wrmsr",
  vector: 13,
  error: 0,
  state: "= rcx 0x3a\n= rax 0x10",
};

const off = (control: number) => `
  mov ecx, 0x3a
  mov eax, ${control}
  xor edx, edx
  wrmsr
`;

/** A guest at CPL 3 comes to CPL 0 by an exception. */
const leaveUser = "ud2\nsupervisor:";
/** And returns, to the label `fault`. */
const enterUser = "mov qword [rsp], fault\niretq";
/** The segments that it ends with, in place of the user's. */
const supervisor = `
  = cs.selector 0x28
  = cs.access 0xa09b
  = ss.selector 0x30
  = ss.access 0xc093
`;

/** The instructions of VMX fault where the processor is not ready for them or their operand is not there. */
export default defineCases("nested-vmx/operand", rows, (row) => {
  const { before = "", code, vector, error, cr2 } = row;
  const frame = (error === undefined ? 0x7fd8 : 0x7fd0) - (row.user ? 0x1000 : 0);
  const tail = row.user
    ? `0x${selectors.userCode64.toString(16)} 0x10002 0x8000 0x${selectors.userData64.toString(16)}`
    : "0x28 0x10002 0x8000 0x30";
  return {
    spec: [
      "SDM 3C 31.3: VMX instructions (exceptions)",
      "SDM 3C 24.7: enabling and entering VMX operation",
    ],
    mode: "long",
    // Without EPT there is no INVEPT, which is #UD then.
    requires: vector !== 6 && code.startsWith("invept") ? requiresEpt : requires,
    machine: {
      ...machine,
      ...row.machine,
      ...(row.user && { privilege: 3 as const }),
    },
    handlers: row.user ? { [vector]: "handler", 6: "supervisor" } : { [vector]: "handler" },
    guest: asm`
      ${row.user ? leaveUser : ""}
      ${row.off ? off(row.control ?? 5) : enterVmx}
      xor eax, eax
      xor ecx, ecx
      ${before}
      ${row.user ? enterUser : "push 2\npopfq"}
      fault:
      ${code}
      out 0xee, al
      handler:
      ${row.user ? `mov eax, ${selectors.data64}\nmov ss, eax\nmov eax, 0` : ""}
      hlt
    `,
    drive: (context) => {
      context.write(VMXON, revision(context));
      context.write(VMCS, revision(context));
      context.write(DATA, quadwords([VMXON, VMCS]));
      context.run();
    },
    trace: ({ fault }) => `
      hlt
      ${row.state ?? ""}
      = rsp 0x${frame.toString(16)}
      = mem 0x${frame.toString(16)} u64 [${
      error === undefined ? "" : `0x${error.toString(16)} `
    }${fault} ${tail}]
      ${row.user ? supervisor : ""}
      ${cr2 ? `= cr2 ${cr2}` : ""}
    `,
  };
});
