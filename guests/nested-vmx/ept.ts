import { asm, defineCases } from "../../mod.ts";
import {
  ENTRY,
  EPT,
  eptFields,
  eptSlot,
  LARGE,
  PAGE,
  PAGES,
  R,
  W,
  WB,
  writeEpt,
  X,
} from "./_ept.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  afterExits,
  exitFields,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  recorded,
  requiresEpt,
} from "./_vmx.ts";

interface Row {
  /** Entries of the tables that differ, by their addresses. */
  entries?: Readonly<Record<number, bigint | number>>;
  fields?: Fields;
  code: string;
  /** The exit where the instruction at `at` is not executed. */
  exit?: ExpectedExit;
  /** Lines before the hypervisor ends. */
  events?: string;
  state?: string;
}

/** Qualification: bits 0 to 2 the access, 3 to 5 what the entry allows, 7 and 8 a linear address. */
const violation = (access: number, allowed: number, address = PAGE): ExpectedExit => ({
  exitReason: 48,
  qualification: access | allowed << 3 | 0x180,
  guestPhysicalAddress: address,
  linearAddress: address,
});
const misconfiguration: ExpectedExit = {
  exitReason: 49,
  qualification: "*",
  instructionLength: "*",
  guestPhysicalAddress: PAGE,
  linearAddress: "*",
};
const read = `at:\nmov ebx, [${PAGE}]`;
const write = `at:\nmov [${PAGE}], eax`;
const call = `mov ecx, ${PAGE}\nat:\ncall rcx`;
/** `call` has left its return address behind, or not; RCX it has. */
const called = `= rcx 0x${PAGE.toString(16)}`;
const page = PAGES[0];
const to = (rights: number) => ({ [ENTRY]: page | WB | rights });

const rows: Record<string, Row> = {
  read: { entries: to(R | W | X), code: read, state: "= rbx 0x11111111" },
  "read-only-read": { entries: to(R), code: read, state: "= rbx 0x11111111" },
  write: {
    entries: to(R | W),
    code: `mov eax, 0x5678\n${write}`,
    state: "= rax 0x5678\n= mem 0x108000 u32 0x5678",
  },
  "read-not-present": { entries: { [ENTRY]: 0 }, code: read, exit: violation(R, 0) },
  "write-not-present": { entries: { [ENTRY]: 0 }, code: write, exit: violation(W, 0) },
  "fetch-not-present": {
    entries: { [ENTRY]: 0 },
    code: call,
    exit: { ...violation(X, 0), guestRip: `0x${PAGE.toString(16)}` },
    state: `${called}\n= mem 0x7bf8 u64 *`,
  },
  "write-read-only": { entries: to(R), code: write, exit: violation(W, R) },
  "write-read-execute": { entries: to(R | X), code: write, exit: violation(W, R | X) },
  "fetch-read-write": {
    entries: to(R | W),
    code: call,
    exit: { ...violation(X, R | W), guestRip: `0x${PAGE.toString(16)}` },
    state: `${called}\n= mem 0x7bf8 u64 *`,
  },
  "fetch-read-only": {
    entries: to(R),
    code: call,
    exit: { ...violation(X, R), guestRip: `0x${PAGE.toString(16)}` },
    state: `${called}\n= mem 0x7bf8 u64 *`,
  },
  "read-execute-only": { entries: to(X), code: read, exit: violation(R, X) },
  "write-execute-only": { entries: to(X), code: write, exit: violation(W, X) },
  "read-modify-write": {
    entries: to(R),
    code: `at:\nadd dword [${PAGE + 0x234}], 1`,
    // A read that is to be written is told as both, or as the write.
    exit: { ...violation(R | W, R, PAGE + 0x234), qualification: "0x18a|0x18b" },
  },
  // The rights of all levels count together.
  "directory-read-only": {
    entries: { [EPT.directory]: EPT.table | R | X },
    code: write,
    exit: violation(W, R | X),
  },
  "pointers-not-present": {
    entries: { [EPT.pointers + 8]: 0 },
    code: "at:\nmov ebx, [0x40000010]",
    exit: violation(R, 0, 0x40000010),
  },
  "directory-not-present": {
    entries: { [EPT.directory + 8]: 0 },
    code: "at:\nmov ebx, [0x200010]",
    exit: violation(R, 0, 0x200010),
  },
  "large-read-only": {
    entries: { [EPT.directory + 24]: 0 | LARGE | WB | R },
    code: "at:\nmov [0x600010], eax",
    exit: violation(W, R, 0x600010),
  },
  // 2 MiB and 1 GiB pages onto the memory at 1 MiB.
  "large-2-mib": {
    entries: { [EPT.directory + 24]: LARGE | WB | R | W },
    code: "mov eax, 0x5678\nat:\nmov [0x708010], eax",
    state: "= rax 0x5678\n= mem 0x108010 u32 0x5678",
  },
  "large-1-gib": {
    entries: { [EPT.pointers + 8]: LARGE | WB | R | W },
    code: "at:\nmov ebx, [0x40109010]",
    state: "= rbx 0x22222222",
  },
  // Nothing of the hypervisor's memory is there: it is the machine's host that is asked.
  "no-memory": {
    entries: { [ENTRY]: 0xd0000000 + (WB | R | W) },
    code: `at:\nmov ebx, [${PAGE + 0x10}]`,
    events: "mmio read 0xd0000010 u32 -> 0x77665544",
    state: "= rbx 0x77665544",
  },
  "no-memory-write": {
    entries: { [ENTRY]: 0xd0000000 + (WB | R | W) },
    code: `mov eax, 0x5678\nat:\nmov [${PAGE + 0x10}], eax`,
    events: "mmio write 0xd0000010 u32 0x5678",
    state: "= rax 0x5678",
  },
  "page-walk": {
    fields: { guestCr3: PAGE },
    entries: { [ENTRY]: 0 },
    code: "at:\nnop",
    // The guest's own table is not there: bit 8 is 0.
    exit: {
      exitReason: 48,
      qualification: 0x81,
      guestPhysicalAddress: PAGE,
      linearAddress: "nested",
    },
  },
  "misconfigured-write-only": { entries: to(W), code: read, exit: misconfiguration },
  "misconfigured-write-execute": { entries: to(W | X), code: read, exit: misconfiguration },
  "misconfigured-memory-type": {
    entries: { [ENTRY]: page | 2 << 3 | R },
    code: read,
    exit: misconfiguration,
  },
  "misconfigured-memory-type-7": {
    entries: { [ENTRY]: page | 7 << 3 | R },
    code: read,
    exit: misconfiguration,
  },
  "misconfigured-directory-reserved": {
    entries: { [EPT.directory]: EPT.table | R | W | X | 8 },
    code: "at:\nnop",
    exit: { ...misconfiguration, guestPhysicalAddress: "*" },
  },
  "misconfigured-top-reserved": {
    entries: { [EPT.top]: EPT.pointers | R | W | X | LARGE },
    code: "at:\nnop",
    exit: { ...misconfiguration, guestPhysicalAddress: "*" },
  },
  "misconfigured-large-reserved": {
    entries: { [EPT.directory + 24]: 0x1000 | LARGE | WB | R },
    code: "at:\nmov ebx, [0x600010]",
    exit: { ...misconfiguration, guestPhysicalAddress: 0x600010 },
  },
  "misconfigured-beyond-physical": {
    entries: { [ENTRY]: 0x8000000000000n | BigInt(page | WB | R) },
    code: read,
    exit: misconfiguration,
  },
  // A page not present has no bits that are reserved.
  "not-present-other-bits": {
    entries: { [ENTRY]: 0x7ffffffffffff0f8n },
    code: read,
    exit: violation(R, 0),
  },
};

const reads: readonly FieldName[] = [...exitFields, "guestPhysicalAddress", "linearAddress"];

/** Extended page tables translate what the nested guest takes for physical addresses. */
export default defineCases("nested-vmx/ept", rows, (row) => ({
  spec: [
    "SDM 3C 29.3.2: EPT translation mechanism",
    "SDM 3C 29.3.3: EPT-induced VM exits",
    "SDM 3C 28.2.1: exit qualification for EPT violations",
  ],
  mode: "long",
  requires: requiresEpt,
  machine,
  guest: asm`
    ${hypervisor()}
    nested:
    ${row.code}
    behind:
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    writeEpt(context, row.entries);
    prepare(context, { fields: { ...eptFields(), ...row.fields }, reads });
    if (row.events) context.run();
    context.run();
  },
  trace: ({ at, behind, nested }) => {
    const { linearAddress = 0, ...exit } = row.exit ?? {};
    return `
      ${eptSlot}
      ${row.events ?? ""}
      hlt
      ${
      recorded([
        row.exit
          ? {
            guestRip: at,
            instructionLength: "*",
            linearAddress: linearAddress === "nested" ? nested : linearAddress,
            ...exit,
          }
          : {
            guestRip: behind,
            exitReason: 18,
            instructionLength: 3,
            guestPhysicalAddress: "*",
            linearAddress: "*",
          },
      ], reads)
    }
      ${row.state ?? ""}
      ${afterExits}
    `;
  },
}));
