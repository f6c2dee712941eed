import { asm, defineCases } from "../../mod.ts";
import { descriptor32, requires, saved, second, secondState, taskState32 } from "./_task.ts";

/** Words of a 32-bit TSS, by what they hold. */
const words = { es: 18, cs: 19, ss: 20, ds: 21, fs: 22, gs: 23, ldt: 24 } as const;

interface Row {
  /** What the second task has in place of its flat segments. */
  selectors: Partial<Record<keyof typeof words, number>>;
  /** The exception that the new task starts with, and its error code. */
  fault?: { vector: number; error: number };
  state?: string;
}

const [TS, NP, SS] = [10, 11, 12];

/** Descriptors that segment registers refuse, by selector. */
const descriptors = {
  // Data and code that are not present, execute-only code, read-only data, data of DPL 3.
  0x78: 0x00cf13000000ffffn,
  0x80: 0x00cf1b000000ffffn,
  0x88: 0x00cf99000000ffffn,
  0x90: 0x00cf91000000ffffn,
  0x98: 0x00cff3000000ffffn,
  // An LDT at 0xa100, and one that is not present.
  0xa0: 0x00008200a100000fn,
  0xa8: 0x00000200a100000fn,
  // Data that was never loaded.
  0xb0: 0x00cf92000000ffffn,
  // Code of DPL 3.
  0xb8: 0x00cffb000000ffffn,
};

const rows: Record<string, Row> = {
  "segments": {
    selectors: { es: 0x90, ds: 0x98, fs: 0x23, gs: 0x0 },
    state:
      "= es.selector 0x90\n= es.access 0xc091\n= ds.selector 0x98\n= ds.access 0xc0f3\n= fs.selector 0x23\n= fs.access 0xc0f3\n= gs.selector 0x0\n= gs.access *",
  },
  "accessed-bit": {
    selectors: { fs: 0xb0 },
    state: "= fs.selector 0xb0\n= mem 0x10b5 u8 0x93",
  },
  "local-table": {
    selectors: { ldt: 0xa0, gs: 0xc },
    state:
      "= ldt.selector 0xa0\n= ldt.base 0xa100\n= ldt.limit 0xf\n= ldt.access 0x82\n= gs.selector 0xc\n= gs.base 0x1000\n= gs.limit 0xffff\n= gs.access 0x4093",
  },
  "data-not-present": { selectors: { es: 0x78 }, fault: { vector: NP, error: 0x78 } },
  "data-execute-only": { selectors: { ds: 0x88 }, fault: { vector: TS, error: 0x88 } },
  "data-beyond-table": { selectors: { fs: 0x108 }, fault: { vector: TS, error: 0x108 } },
  "stack-not-present": { selectors: { ss: 0x78 }, fault: { vector: SS, error: 0x78 } },
  "stack-read-only": { selectors: { ss: 0x90 }, fault: { vector: TS, error: 0x90 } },
  "stack-of-ring-3": { selectors: { ss: 0x98 }, fault: { vector: TS, error: 0x98 } },
};

/** The segments of a new task: loaded from its TSS, or refused in its context. */
export default defineCases("task/load", rows, ({ selectors, fault, state = "" }) => ({
  spec: ["SDM 3A 7.3: task switching, table 7-1", "SDM 3A 6.15: invalid TSS exception (#TS)"],
  mode: "protected",
  requires,
  machine: { descriptors: { ...descriptors, [second.selector]: descriptor32() } },
  ...(fault ? { handlers: { [fault.vector]: { at: "handler" } } } : {}),
  registers: { rax: 0x11n },
  guest: asm`
    db 0xea
    dd 0
    dw ${second.selector}
    behind:
    out 0xee, al
    task:
    out 0xf4, al
    handler:
    mov ecx, 0x10
    mov ss, ecx
    nop
    out 0x10, al
  `,
  drive: ({ write, labels }) => {
    const bytes = taskState32(labels.get("task")!);
    const view = new DataView(bytes.buffer);
    for (const [name, selector] of Object.entries(selectors)) {
      view.setUint32(4 * words[name as keyof typeof words], selector, true);
    }
    write(second.address, bytes);
    // A data segment of the local table: base 0x1000, limit 0xffff.
    write(0xa108, Uint8Array.of(0xff, 0xff, 0, 0x10, 0, 0x93, 0x40, 0));
  },
  trace: ({ behind, task }) => `
    ${fault ? "pio out 0x10 u8 0xa4" : "pio out 0xf4 u8 0xa4"}
    ${
    fault
      ? `${secondState.replace("= rsp 0x7c00", "= rsp 0x7bf0").replace(/= rcx .*/, "= rcx 0x10")}
         = mem 0x7bf0 u32 [0x${fault.error.toString(16)} ${task} 0x8 *]
         = ds.selector *
         = ds.access *
         = es.selector *
         = es.access *
         = fs.selector *
         = fs.access *
         = gs.selector *
         = gs.access *`
      : secondState
  }
    = cr0 0x39
    = tr.selector 0x70
    = tr.base 0xb000
    ${saved(behind, 0x2, [0x11, 0, 0, 0, 0x8000, 0, 0, 0])}
    = mem 0x106d u8 0x89
    = mem 0x1075 u8 0x8b
    ${state}
  `,
}));
