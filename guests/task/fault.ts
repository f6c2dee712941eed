import { asm, defineCases } from "../../mod.ts";
import { descriptor32, gate, second, taskGate, taskState32 } from "./_task.ts";

interface Row {
  selector?: number;
  descriptor?: bigint;
  gate?: bigint;
  vector: number;
  errorCode: string;
}

const rows: Record<string, Row> = {
  "not-present": { descriptor: descriptor32({ present: 0 }), vector: 11, errorCode: "0x70" },
  "gate-not-present": {
    selector: gate,
    gate: taskGate({ present: 0 }),
    vector: 11,
    errorCode: "0x78",
  },
  busy: { descriptor: descriptor32({ type: 0xb }), vector: 13, errorCode: "0x70" },
  // 0x67 is the least limit of a 32-bit TSS.
  "limit-too-small": { descriptor: descriptor32({ limit: 0x66 }), vector: 10, errorCode: "0x70" },
  "limit-of-0": { descriptor: descriptor32({ limit: 0 }), vector: 10, errorCode: "0x70" },
  // RPL must not be above the DPL.
  "rpl-above-dpl": { selector: 0x73, vector: 13, errorCode: "0x70" },
  "gate-rpl-above-dpl": { selector: 0x7b, gate: taskGate(), vector: 13, errorCode: "0x78" },
  "gate-to-nothing": {
    selector: gate,
    gate: taskGate({ selector: 0 }),
    vector: 13,
    errorCode: "0x0",
  },
  "gate-to-local": {
    selector: gate,
    gate: taskGate({ selector: 0x74 }),
    vector: 13,
    errorCode: "0x74",
  },
};

/** A task switch that cannot be is a fault of the instruction, which names the selector. */
export default defineCases("task/fault", rows, (row) => ({
  spec: ["SDM 3A 7.3: task switching, table 7-1", "SDM 2A: JMP (task gates and TSSs)"],
  mode: "protected",
  machine: {
    descriptors: {
      [second.selector]: row.descriptor ?? descriptor32(),
      [gate]: row.gate ?? taskGate(),
    },
  },
  handlers: { [row.vector]: "handler" },
  guest: asm`
    jumping:
    db 0xea
    dd 0
    dw ${row.selector ?? second.selector}
    out 0xee, al
    handler:
    mov bl, ${row.vector}
    hlt
  `,
  drive: ({ write, labels }) => write(second.address, taskState32(labels.get("jumping")!)),
  trace: ({ jumping }) => `
    hlt
    = rbx 0x${row.vector.toString(16)}
    = rsp 0x7ff0
    = mem 0x7ff0 u32 [${row.errorCode} ${jumping} 0x8 0x10002]
  `,
}));
