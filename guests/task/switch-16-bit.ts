import { asm, defineCases } from "../../mod.ts";
import { descriptor32, requires } from "./_task.ts";

/** The TSS of the first task, with which the guest starts, and that of the second: selectors. */
const FIRST = 0x78, SECOND = 0x70;
/** Where they lie. */
const first = 0xb100, second = 0xb000;
/** Words of a 16-bit TSS. */
const words = { ip: 7, flags: 8, ax: 9, es: 17, ldt: 21 } as const;
/** The registers that the second task starts with: AX to DI. */
const registers = [0xa1a2, 0xc1c2, 0xd1d2, 0xb1b2, 0x7c00, 0x5152, 0x6162, 0x7172];

interface Row {
  /** How the second task is reached; a vector is of the UD2 that is tried. */
  opcode?: number;
  /** The exception whose gate is a task gate: #GP of a bad selector, which has an error code. */
  fault?: true;
  nested: boolean;
}

const rows: Record<string, Row> = {
  jump: { opcode: 0xea, nested: false },
  call: { opcode: 0x9a, nested: true },
  exception: { fault: true, nested: true },
};

const hex = (value: number) => `0x${value.toString(16)}`;

/** A switch between tasks whose TSSs are those of 16 bits: 22 words, of which the low halves go. */
export default defineCases("task/switch-16-bit", rows, ({ opcode, fault, nested }) => ({
  spec: ["SDM 3A 7.6: 16-bit task-state segment", "SDM 3A 7.3: task switching"],
  mode: "protected",
  requires,
  machine: {
    descriptors: {
      // 0x2b is the least limit of one.
      [FIRST]: descriptor32({ base: first, limit: 0x2b, type: 1 }),
      [SECOND]: descriptor32({ base: second, limit: 0x2b, type: 1 }),
      // A system segment, which no data segment register takes.
      0x80: descriptor32({ base: 0xc000 }),
    },
  },
  ...(fault ? { handlers: { 13: { at: 0, type: "task" as const, selector: SECOND } } } : {}),
  registers: {
    rax: 0x111111n,
    rcx: 0x222222n,
    rdx: 0x333333n,
    rbp: 0x555555n,
    rsi: 0x666666n,
    rdi: 0x777777n,
  },
  guest: asm`
    mov ebx, ${FIRST}
    ltr bx
    mov ebx, 0x440080
    at:
    ${fault ? "mov ds, bx" : `db ${opcode}\ndd 0\ndw ${SECOND}`}
    behind:
    out 0xee, al
    task:
    mov [0xa000], ax                  ; what the upper halves hold is not defined
    mov [0xa002], cx
    mov [0xa004], dx
    mov [0xa006], bx
    mov [0xa008], sp
    mov [0xa00a], bp
    mov [0xa00c], si
    mov [0xa00e], di
    pushfd
    pop eax
    mov [0xa010], ax
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    xor ebx, ebx
    xor ebp, ebp
    xor esi, esi
    xor edi, edi
    mov esp, 0x7c00
    hlt
  `,
  drive: ({ write, labels }) => {
    const state = new Uint16Array(22);
    state[words.ip] = Number(labels.get("task")!);
    state[words.flags] = 0x2;
    state.set(registers, words.ax);
    state.set([0x10, 0x8, 0x10, 0x10], words.es);
    write(second, new Uint8Array(state.buffer));
    write(first, new Uint8Array(new Uint16Array(22).buffer));
  },
  trace: ({ at, behind }) => {
    const stack = fault ? 0x7bfe : 0x7c00;
    const given = [0x1111, 0x2222, 0x3333, 0x80, 0x8000, 0x5555, 0x6666, 0x7777];
    return `
      hlt
      = rax 0x0
      = rcx 0x0
      = rdx 0x0
      = rsp 0x7c00
      = rbp 0x0
      = rsi 0x0
      = rdi 0x0
      = rflags ${nested ? "0x4046" : "0x46"}
      = cr0 0x39
      = tr.selector 0x70
      = tr.base 0xb000
      = tr.limit 0x2b
      = tr.access 0x83
      = mem 0xa000 u16 [${
      registers.map((value) => hex(value === 0x7c00 ? stack : value)).join(" ")
    } ${nested ? "0x4002" : "0x2"}]
      = mem ${hex(first + 2 * words.ip)} u16 [${fault ? at : behind} 0x2 ${
      given.map(hex).join(" ")
    } 0x10 0x8 0x10 0x10]
      = mem ${hex(0x1000 + FIRST + 5)} u8 ${nested ? "0x83" : "0x81"}
      = mem ${hex(0x1000 + SECOND + 5)} u8 0x83
      ${nested ? `= mem ${hex(second)} u16 ${hex(FIRST)}` : ""}
      = mem ${fault ? "0x7bfa" : "0x7bfc"} u32 *
      ${fault ? "= mem 0x7bfe u16 0x80" : ""}
      = fs.selector *
      = fs.access *
      = gs.selector *
      = gs.access *
    `;
  },
}));
