import { asm, defineCases, type MachineOptions } from "../../mod.ts";
import {
  machine,
  report,
  reported,
  requires,
  run,
  VMCB,
  vmcb,
  type VmcbFields,
  written,
} from "./_vmcb.ts";

interface Row {
  fields?: Partial<VmcbFields>;
  /** What the guest does, and what of it leaves the machine. */
  code?: string;
  exits?: string;
  /** What the VMCB holds in the end, 64 bits each, by offset. */
  saved?: Readonly<Record<number, bigint>>;
  map?: MachineOptions["map"];
  /** What the hypervisor keeps of it. */
  state?: string;
}

const out = (code: string) => `${code}\nout 0x20, eax\nshr rax, 32\nout 0x21, eax`;
const outs = (low: string, high = "0x0") => `pio out 0x20 u32 ${low}\npio out 0x21 u32 ${high}`;

const rows: Record<string, Row> = {
  // What the VMCB says, the guest finds.
  rax: {
    fields: { rax: 0x1122334455667788n },
    code: out(""),
    exits: outs("0x55667788", "0x11223344"),
  },
  rsp: {
    fields: { rsp: 0x123456789an },
    code: out("mov rax, rsp"),
    exits: outs("0x3456789a", "0x12"),
  },
  rflags: {
    fields: { rflags: 0xcd7n },
    code: out("pushfq\npop rax"),
    exits: outs("0xcd7"),
    state: "= mem 0x7bf8 u64 0xcd7",
  },
  cr0: {
    fields: { cr0: 0x8005003bn },
    code: out("mov rax, cr0"),
    exits: outs("0x8005003b"),
    saved: { 0x558: 0x8005003bn },
  },
  cr2: {
    fields: { other: { 0x640: 0x123456789abcn } },
    code: out("mov rax, cr2"),
    exits: outs("0x56789abc", "0x1234"),
    saved: { 0x640: 0x123456789abcn },
    // It is not among what a hypervisor gets back.
    state: "= cr2 0x123456789abc",
  },
  cr4: {
    fields: { cr4: 0x6b8n },
    code: out("mov rax, cr4"),
    exits: outs("0x6b8"),
    saved: { 0x548: 0x6b8n },
  },
  efer: {
    fields: { efer: 0x1d01n },
    code: out("mov ecx, 0xc0000080\nrdmsr"),
    exits: outs("0x1d01"),
    saved: { 0x4d0: 0x1d01n },
  },
  // LMA counts for nothing without LME.
  "efer-long-mode-active-alone": {
    fields: {
      efer: 0x1c00n,
      cr0: 0x31n,
      cr4: 0n,
      other: { 0x410: 0xffffffff_0c9b_0028n },
    },
    saved: { 0x4d0: 0x1800n },
  },
  dr6: {
    fields: { dr6: 0xffff4ff1n },
    code: out("mov rax, dr6"),
    exits: outs("0xffff4ff1"),
    saved: { 0x568: 0xffff4ff1n },
    state: "= dr6 *",
  },
  dr7: {
    fields: { dr7: 0x700n },
    code: out("mov rax, dr7"),
    exits: outs("0x700"),
    saved: { 0x560: 0x700n },
  },
  gdtr: {
    fields: { other: { 0x460: 0x1234_0000_0000n, 0x468: 0x5555666677n } },
    code: `sgdt [0xa000]\n${out("mov rax, [0xa002]")}`,
    exits: outs("0x55666677", "0x55"),
    state: "= mem 0xa000 u8 [0x34 0x12 0x77 0x66 0x66 0x55 0x55]",
  },
  idtr: {
    fields: { other: { 0x480: 0x1234_0000_0000n, 0x488: 0x5555666677n } },
    code: `sidt [0xa000]\n${out("mov rax, [0xa002]")}`,
    exits: outs("0x55666677", "0x55"),
    state: "= mem 0xa000 u8 [0x34 0x12 0x77 0x66 0x66 0x55 0x55]",
  },
  ds: {
    fields: { other: { 0x430: 0xffffffff_0c93_0038n } },
    code: out("xor eax, eax\nmov ax, ds"),
    exits: outs("0x38"),
    saved: { 0x430: 0xffffffff_0c93_0038n },
  },
  es: {
    fields: { other: { 0x400: 0xffffffff_0c93_0038n } },
    code: out("xor eax, eax\nmov ax, es"),
    exits: outs("0x38"),
    saved: { 0x400: 0xffffffff_0c93_0038n },
  },
  ss: {
    fields: { other: { 0x420: 0xffffffff_0c93_0038n } },
    code: out("xor eax, eax\nmov ax, ss"),
    exits: outs("0x38"),
    saved: { 0x420: 0xffffffff_0c93_0038n },
  },
  cs: {
    fields: { other: { 0x410: 0xffffffff_0a9b_0018n } },
    code: out("xor eax, eax\nmov ax, cs"),
    exits: outs("0x18"),
    saved: { 0x410: 0xffffffff_0a9b_0018n },
  },
  // The offset counts on the hypervisor's own time, which is far from 2^60.
  "time-stamp": {
    fields: { other: { 0x50: 0x1000000000000000n } },
    code: "rdtsc\nmov eax, edx\nshr eax, 28\nout 0x20, eax",
    exits: "pio out 0x20 u32 0x1",
  },
  "time-stamp-of-hypervisor": { fields: { other: { 0x50: 0x1000000000000000n } } },

  // What the guest makes of it, the VMCB says.
  "rax-changed": { code: "mov rax, 0x1122334455667788", saved: { 0x5f8: 0x1122334455667788n } },
  "rsp-changed": { code: "sub rsp, 0x20", saved: { 0x5d8: 0x7be0n } },
  "rflags-changed": {
    code: "push 0x8d7\npopfq",
    saved: { 0x570: 0x8d7n },
    state: "= mem 0x7bf8 u64 0x8d7",
  },
  "cr0-changed": {
    code: "mov rax, cr0\nor eax, 0x4000a\nmov cr0, rax",
    saved: { 0x558: 0x8005003bn },
  },
  "cr2-changed": {
    code: "mov rax, 0x123456789abc\nmov cr2, rax",
    saved: { 0x640: 0x123456789abcn },
    state: "= cr2 0x123456789abc",
  },
  "cr3-changed": { code: "mov eax, 0x10018\nmov cr3, rax", saved: { 0x550: 0x10018n } },
  "cr4-changed": { code: "mov eax, 0x6b8\nmov cr4, rax", saved: { 0x548: 0x6b8n } },
  "efer-changed": {
    code: "mov ecx, 0xc0000080\nmov eax, 0x1d01\nxor edx, edx\nwrmsr",
    saved: { 0x4d0: 0x1d01n },
  },
  "dr6-changed": {
    code: "mov eax, 0xffff4ff1\nmov dr6, rax",
    saved: { 0x568: 0xffff4ff1n },
    state: "= dr6 *",
  },
  "dr7-changed": { code: "mov eax, 0x700\nmov dr7, rax", saved: { 0x560: 0x700n } },
  "ds-changed": {
    code: "mov eax, 0x10\nmov ds, eax",
    saved: { 0x430: 0xffffffff_0c93_0010n },
  },
  "es-changed": {
    code: "mov eax, 0x10\nmov es, eax",
    saved: { 0x400: 0xffffffff_0c93_0010n },
  },
  "ss-changed": {
    code: "mov eax, 0x10\nmov ss, eax",
    saved: { 0x420: 0xffffffff_0c93_0010n },
  },
  // 32-bit code of the same 64-bit guest.
  "cs-changed": {
    code: "push 8\nlea rax, [at]\npush rax\nretfq",
    saved: { 0x410: 0xffffffff_0c9b_0008n },
    state: "= mem 0x7bf0 u64 [* 0x8]",
  },
  // CPL 3, in the last byte of its eight.
  "privilege-changed": {
    fields: { rflags: 0x2n },
    map: [{ virtual: 0x8000, physical: 0x8000, user: true }],
    code: "push 0x43\npush 0x7c00\npush 2\npush 0x4b\nlea rax, [at]\npush rax\niretq",
    saved: { 0x4c8: 3n << 24n, 0x420: 0xffffffff_0cf3_0043n, 0x410: 0xffffffff_0afb_004bn },
    // IRET empties FS and GS, which CPL 3 may not have.
    state: `
      = fs.selector 0x0
      = fs.access 0x10000
      = gs.selector 0x0
      = gs.access 0x10000
      = mem 0x7bd8 u64 [* 0x4b 0x2 0x7c00 0x43]
    `,
  },
  "gdtr-changed": {
    code: "mov dword [0xa000], 0x66771234\nmov dword [0xa004], 0x5555\nlgdt [0xa000]",
    saved: { 0x468: 0x55556677n },
    state: "= mem 0xa000 u8 [0x34 0x12 0x77 0x66 0x55 0x55]",
  },
  "idtr-changed": {
    code: "mov dword [0xa000], 0x66771234\nmov dword [0xa004], 0x5555\nlidt [0xa000]",
    saved: { 0x488: 0x55556677n },
    state: "= mem 0xa000 u8 [0x34 0x12 0x77 0x66 0x55 0x55]",
  },
};

/** What VMRUN loads from the VMCB and #VMEXIT saves to it, and that the hypervisor's own comes back. */
export default defineCases("nested-svm/state", rows, (row) => ({
  spec: ["APM 2 15.5.1: VMRUN (loading guest state)", "APM 2 15.6: #VMEXIT"],
  mode: "long",
  requires,
  machine: { ...machine, map: row.map ?? [] },
  guest: asm`
    ${run}
    ${report}
    nested:
    ${row.code ?? ""}
    at:
    vmmcall
    out 0xee, al
  `,
  drive: ({ write, labels }) =>
    write(VMCB, vmcb({ rip: labels.get("nested")!, second: 2, ...row.fields })),
  trace: ({ at }) => `
    ${row.exits ?? ""}
    ${reported(0x81, 0n, 0n, at)}
    hlt
    = rflags 0x46
    ${
    Object.entries({ 0x578: BigInt(at), ...row.saved }).map(([offset, value]) =>
      `= mem 0x${(VMCB + Number(offset)).toString(16)} u64 0x${value.toString(16)}`
    ).join("\n")
  }
    ${row.state ?? ""}
    ${written}
  `,
}));
