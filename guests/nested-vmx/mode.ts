import { asm, defineCases } from "../../mod.ts";
import { eptFields, eptSlot, writeEpt } from "./_ept.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  afterExits,
  entry,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  quadwords,
  recorded,
  requires,
  requiresEpt,
  requiresUnrestricted,
  Secondary,
} from "./_vmx.ts";

interface Row {
  bits: 16 | 32 | 64;
  fields: Fields;
  code: string;
  exit: ExpectedExit;
  state: string;
}

/** Page directories in the slot of the EPT tables: of PAE paging and of 32-bit paging. */
const PAE = 0x10a000, PAGED = 0x10b000;
const legacy = { entryControls: entry() & ~0x200 };
const unrestricted = eptFields(Secondary.unrestricted);
const names = ["Es", "Ss", "Ds", "Fs", "Gs"] as const;
const code32: Fields = { guestCsAccess: 0xc09b };
const real: Record<string, number> = {
  guestCs: 0,
  guestCsAccess: 0x9b,
  guestCsLimit: 0xffff,
  guestIdtrBase: 0,
  guestIdtrLimit: 0x3ff,
};
for (const name of names) {
  real[`guest${name}`] = 0;
  real[`guest${name}Access`] = 0x93;
  real[`guest${name}Limit`] = 0xffff;
}
const pae: Fields = { ...eptFields(), ...legacy, ...code32, guestPdpte0: PAE | 1 };

const rows: Record<string, Row> = {
  real: {
    bits: 16,
    fields: { ...unrestricted, ...legacy, ...real, guestCr0: 0x30 },
    // A 16-bit stack and segments of 16 bytes apiece.
    code: "mov bx, 0xf00\nmov ds, bx\nmov cx, [0]\npush cx\nat:\nvmcall",
    exit: {
      guestCr0: 0x30,
      guestCsAccess: "0x9b|0x93",
      guestDs: 0xf00,
      guestDsBase: 0xf000,
      guestRsp: 0x7bfe,
    },
    state: "= rbx 0xf00",
  },
  protected: {
    bits: 32,
    fields: { ...unrestricted, ...legacy, ...code32, guestCr0: 0x31 },
    code: "mov ebx, 0x12345678\npush ebx\nat:\nvmcall",
    exit: { guestCr0: 0x31, guestCsAccess: 0xc09b, guestRsp: 0x7bfc },
    state: "= rbx 0x12345678\n= mem 0x7bfc u32 0x12345678",
  },
  compatibility: {
    bits: 32,
    fields: code32,
    code: "mov ebx, 0x12345678\npush ebx\nat:\nvmcall",
    exit: { guestCr0: 0x80010031, guestCsAccess: 0xc09b, guestRsp: 0x7bfc },
    state: "= rbx 0x12345678\n= mem 0x7bfc u32 0x12345678",
  },
  "32-bit-paging": {
    bits: 32,
    fields: { ...legacy, ...code32, guestCr3: PAGED, guestCr4: 0x2010 },
    code: "mov ebx, [0x800000 + 0x10b000]\nat:\nvmcall",
    exit: { guestCr3: PAGED, guestCr4: 0x2010, guestCsAccess: 0xc09b },
    state: "= rbx 0xe3",
  },
  "pae-paging": {
    bits: 32,
    fields: pae,
    code: "mov ebx, [0x600000 + 0x10a000]\nat:\nvmcall",
    exit: { guestCsAccess: 0xc09b, guestPdpte0: PAE | 1 },
    state: "= rbx 0xe3",
  },
  // Bits 1 and 2 of a PDPTE are reserved; one that is not present has none.
  "pae-paging-reserved": {
    bits: 32,
    fields: { ...pae, guestPdpte3: PAE | 7 },
    code: "at:\nnop",
    exit: {
      exitReason: 0x80000021,
      qualification: 2,
      guestRip: "nested",
      guestCsAccess: 0xc09b,
      guestPdpte0: PAE | 1,
    },
    state: "",
  },
  "pae-paging-not-present": {
    bits: 32,
    fields: {
      ...pae,
      guestPdpte1: 0x11116,
      guestPdpte2: 0x222222226,
      guestPdpte3: 0x7fffffffffff0006n,
    },
    code: "at:\nvmcall",
    exit: {
      guestCsAccess: 0xc09b,
      guestPdpte0: PAE | 1,
      guestPdpte1: 0x11116,
      guestPdpte2: 0x222222226,
      guestPdpte3: 0x7fffffffffff0006n,
    },
    state: "",
  },
};

const reads: readonly FieldName[] = [
  "exitReason",
  "qualification",
  "guestRip",
  "guestRsp",
  "guestCr0",
  "guestCr3",
  "guestCr4",
  "guestCsAccess",
  "guestDs",
  "guestDsBase",
  "guestPdpte0",
  "guestPdpte1",
  "guestPdpte2",
  "guestPdpte3",
];

/** The nested guest runs in another mode than the hypervisor, which is in its own behind the exit. */
export default defineCases("nested-vmx/mode", rows, ({ bits, fields, code, exit, state }) => ({
  spec: [
    "SDM 3C 27.3.1: checks on the guest state area",
    "SDM 3C 27.3.2: loading guest state",
    "SDM 3C 26.6: unrestricted guests",
  ],
  mode: "long",
  requires: fields.eptPointer === undefined
    ? requires
    : fields.guestCr0 === undefined
    ? requiresEpt
    : requiresUnrestricted,
  machine,
  guest: asm`
    ${hypervisor()}
    bits ${bits}
    nested:
    ${code}
    out 0xee, al
  `,
  drive: (context) => {
    writeEpt(context);
    // The identity map, and behind it the first pages again.
    const large = quadwords([0xe3, 0xe3, 0xe3, 0xe3]);
    context.write(PAE, large);
    context.write(PAGED, new Uint8Array(new Uint32Array([0xe3, 0xe3, 0xe3]).buffer));
    prepare(context, { fields, reads });
    context.run();
  },
  trace: (labels) => `
    ${eptSlot}
    hlt
    ${
    recorded([{
      exitReason: 18,
      guestRsp: 0x7c00,
      guestCr0: 0x80010031,
      guestCr3: 0x10000,
      guestCr4: 0x2020,
      guestDs: 0x30,
      guestPdpte0: "*",
      guestPdpte1: "*",
      guestPdpte2: "*",
      guestPdpte3: "*",
      ...exit,
      guestRip: labels[(exit.guestRip ?? "at") as string],
    }], reads)
  }
    ${state}
    ${afterExits}
  `,
}));
