import { asm, defineCases } from "../../mod.ts";
import {
  descriptor32,
  first,
  gate,
  requires,
  saved,
  second,
  secondState,
  taskGate,
  taskState32,
} from "./_task.ts";

const [JMP, CALL] = [0xea, 0x9a];

const rows = {
  // JMP leaves nothing to come back to: the first task is available again.
  jump: { opcode: JMP, selector: second.selector, nested: false },
  call: { opcode: CALL, selector: second.selector, nested: true },
  "jump-through-gate": { opcode: JMP, selector: gate, nested: false },
  "call-through-gate": { opcode: CALL, selector: gate, nested: true },
};

/** A far JMP or CALL to a TSS or task gate saves one task and loads the other. */
export default defineCases("task/switch", rows, ({ opcode, selector, nested }) => ({
  spec: ["SDM 3A 7.3: task switching", "SDM 3A 7.4: task linking"],
  mode: "protected",
  requires,
  machine: {
    rflags: { set: 0x8d5n },
    descriptors: { [second.selector]: descriptor32(), [gate]: taskGate() },
  },
  registers: {
    rax: 0x11n,
    rcx: 0x22n,
    rdx: 0x33n,
    rbx: 0x44n,
    rbp: 0x55n,
    rsi: 0x66n,
    rdi: 0x77n,
  },
  guest: asm`
    db ${opcode}
    dd 0
    dw ${selector}
    behind:
    out 0xee, al
    task:
    hlt
  `,
  drive: ({ write, labels }) => write(second.address, taskState32(labels.get("task")!)),
  trace: ({ behind }) => `
    hlt
    ${secondState}
    = rflags ${nested ? "0x4002" : "0x2"}
    = cr0 0x39
    = tr.selector 0x70
    = tr.base 0xb000
    ${saved(behind, 0x8d7, [0x11, 0x22, 0x33, 0x44, 0x8000, 0x55, 0x66, 0x77])}
    = mem 0x${(0x1000 + first.selector + 5).toString(16)} u8 ${nested ? "0x8b" : "0x89"}
    = mem 0x${(0x1000 + second.selector + 5).toString(16)} u8 0x8b
    ${nested ? "= mem 0xb000 u16 0x68" : ""}
  `,
}));
