import { asm, defineCases, type MachineOptions } from "../../mod.ts";
import { emulated } from "../_ways.ts";

interface Row {
  /** The last line is the one that faults. */
  guest: string;
  vector: number;
  /** Absent where the exception has none. */
  error?: number;
  machine?: Omit<MachineOptions, "handlers">;
  state?: string;
}

const [UD, NM, NP, SS, GP, PF] = [6, 7, 11, 12, 13, 14];

/** Descriptors that segment registers refuse, by selector. */
const descriptors = {
  // Not present data.
  0x78: 0x00cf13000000ffffn,
  // Execute-only code.
  0x80: 0x00af99000000ffffn,
  // Read-only data.
  0x88: 0x00cf91000000ffffn,
  // Data of DPL 3.
  0x90: 0x00cff3000000ffffn,
  // Code that is not present.
  0x98: 0x00af1b000000ffffn,
  // Code with both L and D.
  0xa0: 0x00ef9b000000ffffn,
  // An LDT that is not present.
  0xa8: 0x000002000000ffffn,
};

const rows: Record<string, Row> = {
  "read-not-canonical": {
    guest: "mov rbx, 0x800000000000\nmov eax, [rbx]",
    vector: GP,
    error: 0,
    state: "= rbx 0x800000000000",
  },
  "write-not-canonical": {
    guest: "mov rbx, 0xffff7fffffffffff\nmov [rbx], al",
    vector: GP,
    error: 0,
    state: "= rbx 0xffff7fffffffffff",
  },
  "stack-not-canonical": {
    guest: "mov rbp, 0x800000000000\nmov eax, [rbp]",
    vector: SS,
    error: 0,
    state: "= rbp 0x800000000000",
  },
  "read-not-present": { guest: "mov eax, [0xc123]", vector: PF, error: 0, state: "= cr2 0xc123" },
  "write-not-present": { guest: "mov [0xc123], al", vector: PF, error: 2, state: "= cr2 0xc123" },
  "write-read-only": { guest: "mov [0xd123], al", vector: PF, error: 3, state: "= cr2 0xd123" },
  "modify-read-only": { guest: "add [0xd123], al", vector: PF, error: 3, state: "= cr2 0xd123" },
  "exchange-read-only": {
    guest: "xchg [0xd120], eax",
    vector: PF,
    error: 3,
    state: "= cr2 0xd120",
  },
  "push-from-not-present": {
    guest: "push qword [0xc000]",
    vector: PF,
    error: 0,
    state: "= cr2 0xc000",
  },
  "read-across-pages": { guest: "mov eax, [0xbffe]", vector: PF, error: 0, state: "= cr2 0xc000" },
  "write-across-pages": { guest: "mov [0xcffe], eax", vector: PF, error: 2, state: "= cr2 0xcffe" },
  "string-source": {
    guest: "mov esi, 0xc008\nmov edi, 0xa000\nmovsb",
    vector: PF,
    error: 0,
    state: "= cr2 0xc008\n= rsi 0xc008\n= rdi 0xa000",
  },
  "string-destination": {
    guest: "mov esi, 0xa000\nmov edi, 0xc008\nmovsb",
    vector: PF,
    error: 2,
    state: "= cr2 0xc008\n= rsi 0xa000\n= rdi 0xc008",
  },
  "lock-move": { guest: "db 0xf0\nmov [0xa000], al", vector: UD },
  "lock-register": { guest: "db 0xf0\nadd eax, ecx", vector: UD },
  "lock-compare": { guest: "db 0xf0\ncmp [0xa000], al", vector: UD },
  "lock-bit-test": { guest: "db 0xf0\nbt [0xa000], eax", vector: UD },
  "lock-no-operation": { guest: "db 0xf0\nnop", vector: UD },
  "lock-push": { guest: "db 0xf0\npush rax", vector: UD },
  "no-push-es": { guest: "db 0x06", vector: UD },
  "no-pop-es": { guest: "db 0x07", vector: UD },
  "no-push-cs": { guest: "db 0x0e", vector: UD },
  "no-pusha": { guest: "db 0x60", vector: UD },
  "no-popa": { guest: "db 0x61", vector: UD },
  "no-aam": { guest: "db 0xd4, 0x0a", vector: UD },
  "no-aad": { guest: "db 0xd5, 0x0a", vector: UD },
  "no-salc": { guest: "db 0xd6", vector: UD },
  "no-das": { guest: "db 0x2f", vector: UD },
  "no-82": { guest: "db 0x82, 0xc0, 0x01", vector: UD },
  "no-far-jump": { guest: "db 0xea, 0, 0, 0, 0, 8, 0", vector: UD },
  "no-far-call": { guest: "db 0x9a, 0, 0, 0, 0, 8, 0", vector: UD },
  "move-to-cs": { guest: "db 0x8e, 0xc8", vector: UD },
  "move-from-segment-6": { guest: "db 0x8c, 0xf0", vector: UD },
  "move-from-cr1": { guest: "db 0x0f, 0x20, 0xc8", vector: UD },
  "move-to-cr5": { guest: "db 0x0f, 0x22, 0xe8", vector: UD },
  "move-from-dr4": { guest: "db 0x0f, 0x21, 0xe0", vector: UD, machine: { cr4: { set: 0x8n } } },
  "lea-of-register": { guest: "db 0x8d, 0xc0", vector: UD },
  "group-5-7": { guest: "db 0xff, 0xf8", vector: UD },
  "group-11-1": { guest: "db 0xc7, 0xc8, 0, 0, 0, 0", vector: UD },
  "cmpxchg8b-of-register": { guest: "db 0x0f, 0xc7, 0xc8", vector: UD },
  "cr0-paging-only": {
    guest: "mov rbx, 0x80000010\nmov cr0, rbx",
    vector: GP,
    error: 0,
    state: "= rbx 0x80000010",
  },
  "cr0-not-write-through": {
    guest: "mov rbx, 0xa0010031\nmov cr0, rbx",
    vector: GP,
    error: 0,
    state: "= rbx 0xa0010031",
  },
  "cr4-no-pae": { guest: "mov ebx, 0\nmov cr4, rbx", vector: GP, error: 0 },
  "cr4-reserved": {
    guest: "mov ebx, 0x8020\nmov cr4, rbx",
    vector: GP,
    error: 0,
    state: "= rbx 0x8020",
  },
  "cr3-reserved": {
    guest: "mov rbx, 0x10000000010000\nmov cr3, rbx",
    vector: GP,
    error: 0,
    state: "= rbx 0x10000000010000",
  },
  "cr8-reserved": {
    guest: "mov ebx, 0x10\nmov cr8, rbx",
    vector: GP,
    error: 0,
    state: "= rbx 0x10",
  },
  "dr7-high": {
    guest: "mov rbx, 0x100000400\nmov dr7, rbx",
    vector: GP,
    error: 0,
    state: "= rbx 0x100000400",
  },
  "wrmsr-unknown": {
    guest: "mov ecx, 0x400000e0\nwrmsr",
    vector: GP,
    error: 0,
    state: "= rcx 0x400000e0",
  },
  "rdmsr-unknown": {
    guest: "mov ecx, 0x400000e0\nrdmsr",
    vector: GP,
    error: 0,
    state: "= rcx 0x400000e0",
  },
  "segment-not-present": {
    guest: "mov ebx, 0x78\nmov ds, ebx",
    vector: NP,
    error: 0x78,
    state: "= rbx 0x78",
  },
  "stack-not-present": {
    guest: "mov ebx, 0x78\nmov ss, ebx",
    vector: SS,
    error: 0x78,
    state: "= rbx 0x78",
  },
  "segment-execute-only": {
    guest: "mov ebx, 0x80\nmov ds, ebx",
    vector: GP,
    error: 0x80,
    state: "= rbx 0x80",
  },
  "stack-read-only": {
    guest: "mov ebx, 0x88\nmov ss, ebx",
    vector: GP,
    error: 0x88,
    state: "= rbx 0x88",
  },
  "stack-of-ring-3": {
    guest: "mov ebx, 0x93\nmov ss, ebx",
    vector: GP,
    error: 0x90,
    state: "= rbx 0x93",
  },
  "stack-of-ring-3-asked-by-0": {
    guest: "mov ebx, 0x90\nmov ss, ebx",
    vector: GP,
    error: 0x90,
    state: "= rbx 0x90",
  },
  "stack-of-ring-0-asked-by-3": {
    guest: "mov ebx, 0x33\nmov ss, ebx",
    vector: GP,
    error: 0x30,
    state: "= rbx 0x33",
  },
  "stack-null-ring-3": {
    guest: "mov ebx, 0x3\nmov ss, ebx",
    vector: GP,
    error: 0,
    state: "= rbx 0x3",
  },
  "segment-beyond-limit": {
    guest: "mov ebx, 0x100\nmov es, ebx",
    vector: GP,
    error: 0x100,
    state: "= rbx 0x100",
  },
  "segment-in-no-ldt": {
    guest: "mov ebx, 0xc\nmov fs, ebx",
    vector: GP,
    error: 0xc,
    state: "= rbx 0xc",
  },
  "system-segment": {
    guest: "mov ebx, 0x68\nmov gs, ebx",
    vector: GP,
    error: 0x68,
    state: "= rbx 0x68",
  },
  "lldt-of-data": { guest: "mov ebx, 0x30\nlldt bx", vector: GP, error: 0x30, state: "= rbx 0x30" },
  "lldt-not-present": {
    guest: "mov ebx, 0xa8\nlldt bx",
    vector: NP,
    error: 0xa8,
    state: "= rbx 0xa8",
  },
  "lldt-local": { guest: "mov ebx, 0x6c\nlldt bx", vector: GP, error: 0x6c, state: "= rbx 0x6c" },
  "ltr-busy": { guest: "mov ebx, 0x68\nltr bx", vector: GP, error: 0x68, state: "= rbx 0x68" },
  "ltr-null": { guest: "ltr bx", vector: GP, error: 0 },
  "return-to-data": {
    guest: "push 0x30\npush 0\ndb 0x48, 0xcb",
    vector: GP,
    error: 0x30,
    state: "stack",
  },
  "return-to-null": {
    guest: "push 0\npush 0\ndb 0x48, 0xcb",
    vector: GP,
    error: 0,
    state: "stack",
  },
  "return-not-present": {
    guest: "push 0x98\npush 0\ndb 0x48, 0xcb",
    vector: NP,
    error: 0x98,
    state: "stack",
  },
  "return-long-and-32": {
    guest: "push 0xa0\npush 0\ndb 0x48, 0xcb",
    vector: GP,
    error: 0xa0,
    state: "stack",
  },
  "movaps-unaligned": {
    guest: "movaps [0xa008], xmm0",
    vector: GP,
    error: 0,
    machine: { cr4: { set: 0x200n } },
  },
  "sse-task-switched": {
    guest: "movups [0xa008], xmm0",
    vector: NM,
    machine: { cr4: { set: 0x200n }, cr0: { set: 0x8n } },
  },
  "sse-not-enabled": { guest: "movups [0xa008], xmm0", vector: UD },
  "sse-emulated": {
    guest: "movups [0xa008], xmm0",
    vector: UD,
    machine: { cr4: { set: 0x200n }, cr0: { set: 0x4n } },
  },
};

/** What KVM's instruction emulator refuses is the exception that the SDM says, without an effect. */
export default defineCases("emulate/fault", emulated(rows), ({ row, way }) => {
  const { guest, vector, error, machine, state = "" } = row;
  const lines = guest.split("\n");
  // A LOCK byte is a line of its own.
  const tried = lines.at(-2) === "db 0xf0" ? lines.length - 2 : lines.length - 1;
  lines.splice(tried, 0, way.prefix, "faulting:");
  const pushed = state === "stack" ? 16 : 0;
  const top = 0x8000 - pushed;
  const frame = (pushed ? 0x7fc0 : 0x7fd0) + (error === undefined ? 8 : 0);
  return {
    spec: [
      "SDM 2: each instruction's exceptions",
      "SDM 3A 6.15: exception and interrupt reference",
    ],
    mode: "long",
    requires: way.requires,
    machine: {
      descriptors,
      map: [
        { virtual: 0xc000, physical: 0xc000, present: false },
        { virtual: 0xd000, physical: 0xd000, writable: false },
      ],
      ...machine,
    },
    handlers: { [vector]: "handler" },
    guest: asm`
      ${lines.join("\n")}
      out 0x10, al
      handler:
      mov ah, ${vector}
      hlt
    `,
    trace: ({ faulting }) => `
      hlt
      = rax 0x${(vector << 8).toString(16)}
      ${state === "stack" ? "= mem 0x7ff0 u64 [0x0 *]" : state}
      = rsp 0x${frame.toString(16)}
      = mem 0x${frame.toString(16)} u64 [${
      error === undefined ? "" : `0x${error.toString(16)} `
    }${faulting} 0x28 0x10002 0x${top.toString(16)} 0x30]
    `,
  };
});
