import { asm, defineCases } from "../../mod.ts";
import { descriptor32, requires, saved, second, secondState, taskState32 } from "./_task.ts";

interface Row {
  vector: number;
  /** What leads there. */
  instruction: string;
  /** An error code is pushed on the new task's stack. */
  errorCode?: string;
  /** Where the first task goes on: at the instruction, or behind it. */
  resumes: "at" | "behind";
}

const rows: Record<string, Row> = {
  "undefined-instruction": { vector: 6, instruction: "ud2", resumes: "at" },
  "divide-error": { vector: 0, instruction: "div ecx", resumes: "at" },
  "general-protection": {
    vector: 13,
    instruction: "mov ds, dx",
    errorCode: "0x50",
    resumes: "at",
  },
};

/** An exception whose gate is a task gate switches tasks, and its error code is on the new stack. */
export default defineCases(
  "task/interrupt",
  rows,
  ({ vector, instruction, errorCode, resumes }) => ({
    spec: ["SDM 3A 6.12.2: interrupt tasks", "SDM 3A 7.3: task switching"],
    mode: "protected",
    requires,
    machine: {
      descriptors: {
        [second.selector]: descriptor32(),
        // A system segment, which no data segment register takes.
        0x50: descriptor32({ base: 0xc000 }),
      },
    },
    handlers: { [vector]: { at: 0, type: "task", selector: second.selector } },
    registers: { rax: 0x11n, rdx: 0x50n },
    guest: asm`
    at:
    ${instruction}
    behind:
    out 0xee, al
    task:
    hlt
  `,
    drive: ({ write, labels }) => write(second.address, taskState32(labels.get("task")!)),
    trace: (labels) => `
    hlt
    ${errorCode ? secondState.replace("= rsp 0x7c00", "= rsp 0x7bfc") : secondState}
    ${errorCode ? `= mem 0x7bfc u32 ${errorCode}` : ""}
    = rflags 0x4002
    = cr0 0x39
    = tr.selector 0x70
    = tr.base 0xb000
    ${
      saved(labels[resumes], 0, [0x11, 0, 0x50, 0, 0x8000, 0, 0, 0]).replace(
        `${labels[resumes]} 0x0`,
        `${labels[resumes]} 0x10002`,
      )
    }
    = mem 0x1075 u8 0x8b
    = mem 0xb000 u16 0x68
  `,
  }),
);
