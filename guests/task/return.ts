import { asm, defineCase } from "../../mod.ts";
import { descriptor32, requires, second, taskState32 } from "./_task.ts";

/** IRET with NT set goes back to the task that called, which goes on behind its CALL. */
export default defineCase({
  id: "task/return",
  spec: ["SDM 3A 7.4: task linking", "SDM 2A: IRET/IRETD (NT = 1)"],
  mode: "protected",
  requires,
  machine: { rflags: { set: 0x8d5n }, descriptors: { [second.selector]: descriptor32() } },
  registers: { rax: 0x11n, rbx: 0x44n },
  guest: asm`
    db 0x9a
    dd 0
    dw ${second.selector}
    behind:
    hlt
    task:
    mov dword [0xa000], 0x5a
    mov eax, 0x99
    iretd
    resumed:
  `,
  drive: ({ write, labels }) => write(second.address, taskState32(labels.get("task")!)),
  trace: ({ behind, resumed }) => `
    hlt
    = cr0 0x39
    = mem 0xa000 u32 0x5a
    = mem 0x3020 u32 [${behind} 0x8d7 0x11 0x0 0x0 0x44 0x8000 0x0 0x0 0x0]
    = mem 0x3048 u32 [0x10 0x8 0x10 0x10 0x10 0x10]
    = mem 0x1075 u8 0x89
    = mem 0xb000 u16 0x68
    = mem 0xb020 u32 [${resumed} 0x2 0x99]
  `,
});
