import { asm, defineCases } from "../../mod.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  after,
  entry,
  exit,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  Processor,
  processor,
  recorded,
  requires,
  unblockedStack,
  unblockNmis,
} from "./_vmx.ts";

interface Row {
  fields?: Fields;
  /** What the nested guest does. */
  code?: string;
  reads: readonly FieldName[];
  saved: ExpectedExit;
  state?: string;
}

const segments: FieldName[] = [];
const loaded: Record<string, number | bigint> = {};
const names = ["Es", "Ds", "Fs", "Gs", "Ss", "Cs", "Tr", "Ldtr"] as const;
names.forEach((name, index) => {
  segments.push(`guest${name}`, `guest${name}Base`, `guest${name}Limit`, `guest${name}Access`);
  const data = index < 4;
  loaded[`guest${name}`] = data
    ? 0x100 + index * 8
    : { Ss: 0x30, Cs: 0x28, Tr: 0x68, Ldtr: 0x70 }[name as "Ss"]!;
  loaded[`guest${name}Base`] = name === "Cs" || name === "Ss" ? 0 : 0x1000 * (index + 3);
  loaded[`guest${name}Limit`] = data
    ? 0x10000 + index
    : name === "Tr"
    ? 0x87
    : name === "Ldtr"
    ? 0x47
    : 0xffffffff;
  loaded[`guest${name}Access`] = data
    ? 0x4093
    : { Ss: 0xc093, Cs: 0xa09b, Tr: 0x8b, Ldtr: 0x82 }[name as "Ss"]!;
});
const same = (fields: Record<string, number | bigint>, list: readonly FieldName[]): ExpectedExit =>
  Object.fromEntries(list.map((name) => [name, fields[name] ?? 0]));

const tables = {
  guestGdtrBase: 0x1000,
  guestGdtrLimit: 0x7f,
  guestIdtrBase: 0x2000,
  guestIdtrLimit: 0x7ff,
  guestSysenterCs: 0x28,
  guestSysenterEsp: 0x123456789an,
  guestSysenterEip: 0xffff800000001234n,
  guestRsp: 0x7b08,
  guestRflags: 0xcd7,
};
const tableNames = Object.keys(tables) as FieldName[];

/** Of an unusable segment nothing but bit 16 is defined: what processors leave there. */
const unusable = "0x10000|0x10010|0x10093|0x14093|0x1c093";

const rows: Record<string, Row> = {
  // The guest has what it was given, and gives it back.
  segments: { fields: loaded, reads: segments, saved: same(loaded, segments) },
  tables: { fields: tables, reads: tableNames, saved: same(tables, tableNames) },
  "segment-registers-changed": {
    fields: loaded,
    code: `
      mov ebx, 0x30
      mov ds, ebx
      mov fs, ebx
      xor ecx, ecx
      mov es, ecx
      mov gs, ecx
    `,
    reads: [
      "guestDs",
      "guestDsBase",
      "guestDsLimit",
      "guestDsAccess",
      "guestFs",
      "guestEs",
      "guestEsAccess",
      "guestGs",
      "guestGsAccess",
    ],
    saved: {
      guestDs: 0x30,
      guestDsLimit: 0xffffffff,
      guestDsAccess: 0xc093,
      guestFs: 0x30,
      guestEsAccess: unusable,
      guestGsAccess: unusable,
    },
    state: "= rbx 0x30",
  },
  "tables-changed": {
    code: `
      mov word [0xf000], 0x3f
      mov qword [0xf002], 0x1000
      lgdt [0xf000]
      mov word [0xf000], 0x1ff
      mov qword [0xf002], 0x2000
      lidt [0xf000]
    `,
    reads: ["guestGdtrBase", "guestGdtrLimit", "guestIdtrBase", "guestIdtrLimit"],
    saved: {
      guestGdtrBase: 0x1000,
      guestGdtrLimit: 0x3f,
      guestIdtrBase: 0x2000,
      guestIdtrLimit: 0x1ff,
    },
    state: "= mem 0xf000 u16 [0x1ff 0x2000]",
  },
  "stack-and-flags": {
    code: "push 0xcd7\npopfq\nmov esp, 0x7b00",
    reads: ["guestRsp", "guestRflags"],
    saved: { guestRsp: 0x7b00, guestRflags: 0xcd7 },
    state: "= mem 0x7bf8 u64 0xcd7",
  },
  "interruptibility-sti": {
    code: "sti",
    reads: ["interruptibility", "guestRflags"],
    saved: { interruptibility: 1, guestRflags: 0x202 },
  },
  "interruptibility-mov-ss": {
    code: "mov ebx, 0x30\nmov ss, ebx",
    reads: ["interruptibility"],
    saved: { interruptibility: 2 },
    state: "= rbx 0x30",
  },
  "interruptibility-nmi": {
    fields: { interruptibility: 8 },
    code: "nop",
    reads: ["interruptibility"],
    saved: { interruptibility: 8 },
  },
  // IRET ends the blocking.
  "interruptibility-nmi-iret": {
    fields: { interruptibility: 8 },
    code: "push 0x30\npush 0x7c00\npush 2\npush 0x28\npush returned\niretq\nreturned:",
    reads: ["interruptibility"],
    saved: { interruptibility: 0 },
    state: "= mem 0x7bd8 u64 [* 0x28 0x2 0x7c00 0x30]",
  },
  "debug-controls": {
    fields: { guestDr7: 0x401 },
    code: "mov rbx, dr7\nmov rcx, 0x402\nmov dr7, rcx",
    reads: ["guestDr7"],
    saved: { guestDr7: 0x402 },
    state: `= rbx 0x401
      = rcx 0x402`,
  },
  "debug-controls-not-saved": {
    fields: { guestDr7: 0x401, exitControls: exit() & ~4 },
    code: "mov rbx, dr7\nmov rcx, 0x402\nmov dr7, rcx",
    reads: ["guestDr7"],
    saved: { guestDr7: 0x401 },
    state: `= rbx 0x401
      = rcx 0x402`,
  },
  "debug-controls-not-loaded": {
    fields: { guestDr7: 0x401, entryControls: entry() & ~4 },
    code: "mov rbx, dr7",
    reads: ["guestDr7"],
    saved: { guestDr7: 0x400 },
    state: "= rbx 0x400",
  },
  "efer-loaded-and-saved": {
    fields: {
      entryControls: entry(1 << 15),
      exitControls: exit(1 << 20),
      guestEfer: 0x500,
      hostEfer: 0xd00,
    },
    reads: ["guestEfer"],
    saved: { guestEfer: 0x500 },
    // Nothing loads the hypervisor's again: NXE is lost.
    state: "= efer 0x500",
  },
  "efer-restored": {
    fields: {
      entryControls: entry(1 << 15),
      exitControls: exit(1 << 20 | 1 << 21),
      guestEfer: 0x501,
      hostEfer: 0xd00,
    },
    reads: ["guestEfer"],
    saved: { guestEfer: 0x501 },
  },
  "efer-not-saved": {
    fields: {
      entryControls: entry(1 << 15),
      exitControls: exit(1 << 21),
      guestEfer: 0x501,
      hostEfer: 0xd00,
    },
    reads: ["guestEfer"],
    saved: { guestEfer: 0x501 },
  },
  "pat-loaded-and-saved": {
    fields: {
      entryControls: entry(1 << 14),
      exitControls: exit(1 << 18),
      guestPat: 0x0606060606060606n,
    },
    reads: ["guestPat"],
    saved: { guestPat: 0x0606060606060606n },
    state: "= msr.0x277 0x606060606060606",
  },
  "pat-restored": {
    fields: {
      entryControls: entry(1 << 14),
      exitControls: exit(1 << 18 | 1 << 19),
      guestPat: 0x0606060606060606n,
      hostPat: 0x0004040404040406n,
    },
    reads: ["guestPat"],
    saved: { guestPat: 0x0606060606060606n },
    state: "= msr.0x277 0x4040404040406",
  },
  "pat-not-loaded": {
    fields: { guestPat: 0x0606060606060606n, exitControls: exit(1 << 18) },
    reads: ["guestPat"],
    saved: { guestPat: 0x0007040600070406n },
    state: "= msr.0x277 0x7040600070406",
  },
  // What WRMSR has changed without an exit is in the VMCS.
  "msrs-changed": {
    fields: {
      processorControls: processor(Processor.msrBitmaps),
      msrBitmap: 0xf000,
      exitControls: exit(1 << 18 | 1 << 19),
      hostPat: 0x0007040600070406n,
    },
    code: `
      mov ecx, 0x174
      mov eax, 0x48
      xor edx, edx
      wrmsr
      inc ecx
      mov eax, 0x5678
      mov edx, 0xffff8000
      wrmsr
      inc ecx
      mov eax, 0x9abc
      mov edx, 0x1234
      wrmsr
      mov ecx, 0x277
      mov eax, 0x04040404
      mov edx, 0x01010101
      wrmsr
    `,
    reads: ["guestSysenterCs", "guestSysenterEsp", "guestSysenterEip", "guestPat"],
    saved: {
      guestSysenterCs: 0x48,
      guestSysenterEsp: 0xffff800000005678n,
      guestSysenterEip: 0x123400009abcn,
      guestPat: 0x0101010104040404n,
    },
    state: `= rax 0x4040404
      = rcx 0x277
      = rdx 0x1010101`,
  },
  "host-segments": {
    fields: {
      hostDs: 0x50,
      hostEs: 0,
      hostFs: 0x48,
      hostFsBase: 0x1234000,
      hostGs: 0x58,
      hostGsBase: 0xffff800000001000n,
      hostTr: 0x70,
      hostTrBase: 0x3000,
      hostGdtrBase: 0x1008,
      hostIdtrBase: 0x2010,
      hostSysenterCs: 0x48,
      hostSysenterEsp: 0xabcdn,
      hostSysenterEip: 0xffff900000000000n,
    },
    reads: ["exitReason"],
    saved: { exitReason: 18 },
    state: `= ds.selector 0x50
      = es.selector 0x0
      = es.access 0x10000|0xc093
      = fs.selector 0x48
      = fs.base 0x1234000
      = gs.selector 0x58
      = gs.base 0xffff800000001000
      = tr.selector 0x70
      = gdt.base 0x1008
      = idt.base 0x2010
      = msr.0x174 0x48
      = msr.0x175 0xabcd
      = msr.0x176 0xffff900000000000`,
  },
  // An exit gives segments, TR and debug registers fixed values, whatever the guest had.
  "host-fixed": {
    fields: { ...loaded, guestDr7: 0x4aa, guestDebugControl: 0, guestRflags: 0x8d7 },
    reads: ["exitReason", "guestRflags"],
    saved: { exitReason: 18, guestRflags: 0x8d7 },
    state: `= ds.limit 0xffffffff
      = ds.access 0xc093
      = fs.base 0x0
      = tr.limit 0x67
      = tr.access 0x8b
      = ldt.access 0x10000
      = dr7 0x400`,
  },
  "host-control-registers": {
    fields: { hostCr0: 0x80000031n, hostCr4: 0x26a0n, hostCr3: 0x10018 },
    reads: ["guestCr0", "guestCr4", "guestCr3"],
    saved: { guestCr0: 0x80010031n, guestCr4: 0x2020n, guestCr3: 0x10000 },
    state: `= cr0 0x80000031
      = cr4 0x26a0
      = cr3 0x10018`,
  },
};

/** Guest state is loaded at entry and saved at exit, and host state is loaded then. */
export default defineCases(
  "nested-vmx/state",
  rows,
  ({ fields, code = "", reads, saved, state }) => {
    const nmi = saved.interruptibility === 8;
    return {
      spec: [
        "SDM 3C 27.3.2: loading guest state",
        "SDM 3C 28.3: saving guest state",
        "SDM 3C 28.5: loading host state",
      ],
      mode: "long",
      requires,
      machine,
      guest: asm`
    ${hypervisor({ ending: `${nmi ? unblockNmis : ""}\nhlt` })}
    nested:
    ${code}
    vmcall
    out 0xee, al
  `,
      drive: (context) => {
        prepare(context, { fields, reads });
        context.run();
      },
      trace: `
    hlt
    ${recorded([saved], reads)}
    ${state ?? ""}
    ${nmi ? unblockedStack : ""}
    ${after(nmi ? 2 : 0x46)}
  `,
    };
  },
);
