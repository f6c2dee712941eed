import { asm, defineCases } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import {
  after,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  Processor,
  recorded,
  requires,
  Secondary,
  secondary,
} from "./_vmx.ts";

/** The virtual-APIC page, and the page whose accesses are the APIC's. */
const PAGE = 0x100000, ACCESSES = 0xf000;

interface Row {
  /** Who emulates the hypervisor's own APIC, if not KVM. */
  apic?: "none";
  secondaryBits?: number;
  primaryBits?: number;
  fields?: Fields;
  /** Registers of the virtual-APIC page at first, by offset. */
  page?: Readonly<Record<number, number>>;
  code: string;
  /** Where it exits, if not at its VMCALL. */
  exit?: ExpectedExit;
  state?: string;
  /** Registers of the page that have changed. */
  changed?: Readonly<Record<number, string>>;
}

const shadow = Processor.tprShadow;
const accesses = { secondaryBits: Secondary.apicAccesses };
const both = { ...accesses, primaryBits: shadow };
const registers = {
  secondaryBits: Secondary.apicAccesses | Secondary.apicRegisters,
  primaryBits: shadow,
};
/** Qualification: the offset, and read or write above. */
const access = (offset: number, kind: 0 | 1): ExpectedExit => ({
  exitReason: 44,
  qualification: offset | kind << 12,
  instructionLength: "*",
  guestRip: "at",
});

const rows: Record<string, Row> = {
  // Without the shadow the task priority is the hypervisor's.
  "cr8-of-hypervisor": {
    code: "mov ebx, 7\nmov cr8, rbx\nmov rcx, cr8",
    state: "= rbx 0x7\n= rcx 0x7\n= cr8 0x7",
  },
  "cr8-read": {
    primaryBits: shadow,
    page: { 0x80: 0x57 },
    code: "mov rbx, cr8",
    state: "= rbx 0x5",
  },
  "cr8-read-with-apic-of-host": {
    apic: "none",
    primaryBits: shadow,
    page: { 0x80: 0x57 },
    code: "mov rbx, cr8",
    state: "= rbx 0x5",
  },
  "cr8-write": {
    primaryBits: shadow,
    code: "mov ebx, 7\nmov cr8, rbx",
    state: "= rbx 0x7",
    changed: { 0x80: "0x70" },
  },
  // The exit comes behind the instruction that has lowered the priority.
  "threshold-below": {
    primaryBits: shadow,
    fields: { tprThreshold: 5 },
    page: { 0x80: 0x60 },
    code: "mov ebx, 4\nmov cr8, rbx\nat:\nnop",
    exit: { exitReason: 43, instructionLength: "*", guestRip: "at" },
    state: "= rbx 0x4",
    changed: { 0x80: "0x40" },
  },
  "threshold-reached": {
    primaryBits: shadow,
    fields: { tprThreshold: 5 },
    page: { 0x80: 0x60 },
    code: "mov ebx, 5\nmov cr8, rbx\nnop",
    state: "= rbx 0x5",
    changed: { 0x80: "0x50" },
  },
  "access-read": { ...accesses, code: `at:\nmov ebx, [${ACCESSES + 0x80}]`, exit: access(0x80, 0) },
  "access-write": {
    ...accesses,
    code: `at:\nmov [${ACCESSES + 0xb0}], ebx`,
    exit: access(0xb0, 1),
  },
  // With the TPR shadow the task priority is the page's, and no other register.
  "access-priority-read": {
    ...both,
    page: { 0x80: 0x33 },
    code: `mov ebx, [${ACCESSES + 0x80}]`,
    state: "= rbx 0x33",
  },
  "access-priority-write": {
    ...both,
    code: `mov ebx, 0x44\nmov [${ACCESSES + 0x80}], ebx`,
    state: "= rbx 0x44",
    changed: { 0x80: "0x44" },
  },
  "access-other-read": {
    ...both,
    page: { 0x20: 0x5000000 },
    code: `at:\nmov ebx, [${ACCESSES + 0x20}]`,
    exit: access(0x20, 0),
  },
  "register-read": {
    ...registers,
    page: { 0x20: 0x5000000 },
    code: `mov ebx, [${ACCESSES + 0x20}]`,
    state: "= rbx 0x5000000",
  },
  // What is written is there first, and then the hypervisor is told.
  "register-write": {
    ...registers,
    code: `mov ebx, 0x10f\nmov [${ACCESSES + 0xf0}], ebx\nat:\nnop`,
    exit: { exitReason: 56, qualification: 0xf0, instructionLength: "*", guestRip: "at" },
    state: "= rbx 0x10f",
    changed: { 0xf0: "0x10f" },
  },
  "register-not-virtualized": {
    ...registers,
    code: `at:\nmov ebx, [${ACCESSES + 0x390}]`,
    exit: access(0x390, 0),
  },
};

/** The virtual-APIC page stands in for the local APIC of the nested guest. */
export default defineCases("nested-vmx/virtual-apic", rows, (row) => {
  const { secondaryBits, primaryBits = 0, page = {}, code } = row;
  return {
    spec: [
      "SDM 3C 30.1: virtual APIC state",
      "SDM 3C 30.3: virtualizing CR8-based TPR accesses",
      "SDM 3C 30.4: virtualizing memory-mapped APIC accesses",
    ],
    mode: "long",
    irqchip: row.apic ?? "kernel",
    requires,
    machine,
    guest: asm`
      ${hypervisor({ ending: "out 0xf4, al" })}
      nested:
      ${code}
      called:
      vmcall
      out 0xee, al
    `,
    drive: (context) => {
      context.vm.memory.addRam(PAGE, 0x1000, { slot: 1 });
      for (const [offset, value] of Object.entries(page)) {
        context.write(PAGE + Number(offset), new Uint8Array(new Uint32Array([value]).buffer));
      }
      const fields: Fields = {
        ...secondary(secondaryBits ?? 0, primaryBits),
        virtualApicAddress: PAGE,
        apicAccessAddress: ACCESSES,
        ...row.fields,
      };
      prepare(context, { fields });
      context.run();
    },
    trace: (labels) => {
      const { guestRip = "called", ...exit } = row.exit ?? { exitReason: 18, instructionLength: 3 };
      return `
        > slot 0x1 gpa=0x100000 size=0x1000
        pio out 0xf4 u8 0x0
        ${recorded([{ ...exit, guestRip: labels[guestRip as string] }])}
        ${row.state ?? ""}
        ${
        Object.entries(row.changed ?? {}).map(([offset, value]) =>
          `= mem 0x${(PAGE + Number(offset)).toString(16)} u32 ${value}`
        ).join("\n")
      }
        ${after(0x46)}
      `;
    },
  };
});
