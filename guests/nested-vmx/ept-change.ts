import { asm, defineCases } from "../../mod.ts";
import { ENTRY, EPT, eptFields, eptSlot, PAGE, PAGES, R, W, WB, writeEpt, X } from "./_ept.ts";
import type { FieldName } from "./_fields.ts";
import {
  afterExits,
  DATA,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  recorded,
  requiresEpt,
} from "./_vmx.ts";

interface Row {
  /** The entry of the page at first. */
  entry: number;
  code: string;
  /** What the hypervisor does at the first exit. */
  change: string;
  exits: readonly ExpectedExit[];
  /** The instruction that has exited is not skipped. */
  again?: true;
  state: string;
  pointerBits?: number;
}

const set = (value: number) => `mov dword [${ENTRY}], ${value}`;
const OPERAND = DATA + 0x40;
const invept = (type: number) => `
  mov qword [${OPERAND}], ${EPT.top | 0x1e}
  mov qword [${OPERAND + 8}], 0
  mov eax, ${type}
  invept rax, [${OPERAND}]
`;
const all = R | W | X;
const twice = `mov ebx, [${PAGE}]\nvmcall\nmov edx, [${PAGE}]\nat:\nvmcall`;
const called: ExpectedExit = { exitReason: 18 };
const operand = `= mem 0x${OPERAND.toString(16)} u64 [0x${(EPT.top | 0x1e).toString(16)} 0x0]`;
const entryLine = (value: number) => `= mem 0x${ENTRY.toString(16)} u64 0x${value.toString(16)}`;

const remapped = PAGES[1] | WB | all;
const rows: Record<string, Row> = {
  "invept-single": {
    entry: PAGES[0] | WB | all,
    code: twice,
    change: set(remapped) + invept(1),
    exits: [called, called],
    state: `= rbx 0x11111111\n= rdx 0x22222222\n${operand}\n${entryLine(remapped)}`,
  },
  "invept-all": {
    entry: PAGES[0] | WB | all,
    code: twice,
    change: set(remapped) + invept(2),
    exits: [called, called],
    state: `= rbx 0x11111111\n= rdx 0x22222222\n${operand}\n${entryLine(remapped)}`,
  },
  // A violation drops what it was about: no INVEPT is needed to grant more.
  "granted-behind-violation": {
    entry: PAGES[0] | WB | R,
    code: `mov ebx, [${PAGE}]\nmov [${PAGE}], ecx\nmov edx, [${PAGE}]\nvmcall`,
    change: set(PAGES[0] | WB | all),
    exits: [{ exitReason: 48, qualification: 0x18a }, called],
    again: true,
    state: `= rbx 0x11111111\n= mem 0x108000 u32 0x0\n${entryLine(PAGES[0] | WB | all)}`,
  },
  "present-behind-violation": {
    entry: 0,
    code: `mov edx, [${PAGE}]\nvmcall`,
    change: set(remapped),
    exits: [{ exitReason: 48, qualification: 0x181 }, called],
    again: true,
    state: `= rdx 0x22222222\n${entryLine(remapped)}`,
  },
  "mended-behind-misconfiguration": {
    entry: PAGES[0] | WB | W,
    code: `mov edx, [${PAGE}]\nvmcall`,
    change: set(remapped),
    exits: [{ exitReason: 49, qualification: "*" }, called],
    again: true,
    state: `= rdx 0x22222222\n${entryLine(remapped)}`,
  },
  "revoked-by-invept": {
    entry: PAGES[0] | WB | all,
    code: `mov ebx, [${PAGE}]\nvmcall\nmov edx, [${PAGE}]`,
    change: set(0) + invept(1),
    exits: [called, { exitReason: 48, qualification: 0x181 }],
    state: `= rbx 0x11111111\n${operand}`,
  },
  "write-protected-by-invept": {
    entry: PAGES[0] | WB | all,
    code: `mov [${PAGE}], ecx\nvmcall\nmov edx, [${PAGE}]\nmov [${PAGE}], edx`,
    change: set(PAGES[0] | WB | R | X) + invept(1),
    exits: [called, { exitReason: 48, qualification: 0x1aa }],
    state: `= rdx 0x1234\n= rcx 0x1234\n= mem 0x108000 u32 0x1234\n${operand}
      ${entryLine(PAGES[0] | WB | R | X)}`,
  },
};
rows["write-protected-by-invept"].code = `mov ecx, 0x1234\n${
  rows["write-protected-by-invept"].code
}`;

const reads: readonly FieldName[] = ["exitReason", "qualification"];

/** What a hypervisor changes in its extended page tables counts behind INVEPT, or behind the exit. */
export default defineCases("nested-vmx/ept-change", rows, (row) => ({
  spec: [
    "SDM 3C 29.4.3.1: operations that invalidate cached mappings",
    "SDM 3C 29.4.3.4: guidelines for use of the INVEPT instruction",
    "SDM 3C 31.3: INVEPT",
  ],
  mode: "long",
  requires: requiresEpt,
  machine,
  guest: asm`
    ${hypervisor({ before: row.change, skip: !row.again })}
    nested:
    ${row.code}
    out 0xee, al
  `,
  drive: (context) => {
    writeEpt(context, { [ENTRY]: row.entry });
    prepare(context, { fields: eptFields(), reads, exits: row.exits.length });
    context.run();
  },
  trace: `
    ${eptSlot}
    hlt
    ${recorded(row.exits, reads)}
    ${row.state}
    ${
    row.state.includes(ENTRY.toString(16)) || row.entry === 0
      ? ""
      : `= mem 0x${ENTRY.toString(16)} u64 0x0`
  }
    ${afterExits}
  `,
}));
