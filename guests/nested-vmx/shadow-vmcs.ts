import { asm, defineCases } from "../../mod.ts";
import { fieldEncodings, type FieldName, type Fields } from "./_fields.ts";
import {
  after,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  quadwords,
  recorded,
  requires,
  revision,
  Secondary,
  secondary,
} from "./_vmx.ts";

/** The shadow VMCS, where a pointer to it is, and the bitmaps of VMREAD and VMWRITE. */
const SHADOW = 0xf000, POINTER = 0xa080, READS = 0x100000, WRITES = 0x101000;

interface Row {
  code: string;
  fields?: Fields;
  /** The field whose bit is set, in one of the bitmaps. */
  bit?: readonly [bitmap: number, field: FieldName];
  exit?: ExpectedExit;
  state: string;
  /** What the hypervisor reads of the shadow VMCS's guest RIP at the end. */
  stored?: string;
  /** It is an ordinary VMCS, which does not do. */
  ordinary?: true;
}

const rip = fieldEncodings.guestRip;
const store = `mov ebx, ${rip}\nmov rcx, 0x123456789a\n`;
const stored = "= rbx 0x681e\n= rcx 0x123456789a";

const rows: Record<string, Row> = {
  "write-and-read": {
    code: `${store}vmwrite rbx, rcx\nvmread rdx, rbx\npushfq\npop rdi`,
    state: `${stored}\n= rdx 0x123456789a\n= rdi 0x2\n= mem 0x7bf8 u64 0x2`,
    stored: "0x123456789a",
  },
  // Exit information of the shadow is the guest's to write.
  "read-only-field": {
    code: "mov ebx, 0x4402\nmov ecx, 0x77\nvmwrite rbx, rcx\nvmread rdx, rbx",
    state: "= rbx 0x4402\n= rcx 0x77\n= rdx 0x77",
  },
  "write-exits": {
    code: `${store}at:\nvmwrite rbx, rcx`,
    bit: [WRITES, "guestRip"],
    exit: { exitReason: 25 },
    state: stored,
  },
  "read-exits": {
    code: `${store}vmwrite rbx, rcx\nat:\nvmread rdx, rbx`,
    bit: [READS, "guestRip"],
    exit: { exitReason: 23 },
    state: stored,
    stored: "0x123456789a",
  },
  // No bit is there for it.
  "field-beyond": {
    code: `${store}mov ebx, 0x8000\nat:\nvmread rdx, rbx`,
    exit: { exitReason: 23 },
    state: stored.replace("0x681e", "0x8000"),
  },
  "unsupported-field": {
    code: `${store}mov ebx, 0x7ffe\nvmread rdx, rbx\npushfq\npop rdi`,
    state: `${stored.replace("0x681e", "0x7ffe")}\n= rdi 0x42\n= mem 0x7bf8 u64 0x42`,
  },
  "no-link-pointer": {
    fields: { vmcsLinkPointer: 0xffffffffffffffffn },
    code: `${store}vmwrite rbx, rcx\npushfq\npop rdi`,
    state: `${stored}\n= rdi 0x3\n= mem 0x7bf8 u64 0x3`,
  },
  "link-to-ordinary": {
    code: "nop",
    ordinary: true,
    exit: { exitReason: 0x80000021, qualification: 4, instructionLength: 0, guestRip: "nested" },
    state: "",
  },
  "not-shadowing": {
    fields: { ...secondary(0), vmcsLinkPointer: 0xffffffffffffffffn },
    code: `${store}at:\nvmwrite rbx, rcx`,
    exit: { exitReason: 25 },
    state: stored,
  },
};

/**
 * With VMCS shadowing VMREAD and VMWRITE of the nested guest are about the VMCS that is linked, which
 * the hypervisor cannot launch.
 */
export default defineCases("nested-vmx/shadow-vmcs", rows, (row) => ({
  spec: [
    "SDM 3C 25.10: VMCS types, ordinary and shadow",
    "SDM 3C 25.6.15: VMCS shadowing bitmap addresses",
    "SDM 3C 31.3: VMREAD, VMWRITE",
  ],
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${
    hypervisor({
      ending: `
      vmptrld [${POINTER}]
      mov eax, ${rip}
      vmread rsi, rax
      mov eax, 0
      vmlaunch
      pushfq
      pop r8
      push 2
      popfq
      hlt
    `,
    })
  }
    nested:
    ${row.code}
    called:
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    context.vm.memory.addRam(READS, 0x2000, { slot: 1 });
    const identifier = revision(context);
    if (!row.ordinary) identifier[3] |= 0x80;
    context.write(SHADOW, identifier);
    context.write(POINTER, quadwords([SHADOW]));
    if (row.bit !== undefined) {
      const [bitmap, name] = row.bit;
      const number = fieldEncodings[name];
      context.write(bitmap + (number >> 3), Uint8Array.of(1 << (number & 7)));
    }
    prepare(context, {
      fields: {
        ...secondary(Secondary.vmcsShadowing),
        vmreadBitmap: READS,
        vmwriteBitmap: WRITES,
        vmcsLinkPointer: SHADOW,
        ...row.fields,
      },
    });
    context.run();
  },
  trace: (labels) => {
    const { called } = labels;
    const exit = row.exit
      ? {
        instructionLength: 3,
        qualification: "*",
        ...row.exit,
        guestRip: row.exit.guestRip ? labels.nested : labels.at,
      }
      : { exitReason: 18, guestRip: called, instructionLength: 3 };
    const rest = Array(511).fill("*").join(" ");
    return `
      > slot 0x1 gpa=0x100000 size=0x2000
      hlt
      ${recorded([exit])}
      ${row.state}
      = rsi ${row.stored ?? "0x0"}
      = r8 ${row.ordinary ? "0x42" : "0x3"}
      = mem 0x7ff8 u64 0x2
      ${after(2)}
      = mem 0x${(SHADOW + 8).toString(16)} u64 [${rest}]
      = mem 0xc008 u64 [${rest}]
    `;
  },
}));
