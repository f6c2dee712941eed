import { defineCases } from "../../mod.ts";
import { emulated, forced } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

const [UD, NM, GP] = [6, 7, 13];
/** CR4.OSFXSR. */
const sse = { cr4: { set: 0x200n } } as const;

const pattern = Array.from({ length: 512 }, (_, index) => 0x100 - index & 0xff);
const repeat = (byte: number, count: number) => Array<number>(count).fill(byte);
const text = (bytes: readonly number[]) => bytes.map((byte) => `0x${byte.toString(16)}`).join(" ");

/** Bytes 0xa000 and on as XMM3 gets them. */
const loaded = "= xmm3.low 0xf9fafbfcfdfeff00\n= xmm3.high 0xf1f2f3f4f5f6f7f8";
const stored = (address: string, number: number, count = 16) =>
  `= mem ${address} u8 [${text(repeat(0xb0 + number, count))}]`;

/** An XMM register to memory, from it, and to another. */
const moves: Record<string, Try> = {};
for (
  const [name, load, store, aligned] of [
    ["movups", [0x0f, 0x10], [0x0f, 0x11], false],
    ["movupd", [0x66, 0x0f, 0x10], [0x66, 0x0f, 0x11], false],
    ["movaps", [0x0f, 0x28], [0x0f, 0x29], true],
    ["movapd", [0x66, 0x0f, 0x28], [0x66, 0x0f, 0x29], true],
    ["movdqa", [0x66, 0x0f, 0x6f], [0x66, 0x0f, 0x7f], true],
    ["movdqu", [0xf3, 0x0f, 0x6f], [0xf3, 0x0f, 0x7f], false],
  ] as const
) {
  // XMM3 and [RSI]; XMM12 and [RDI], whose number takes a REX bit.
  const bytes = (opcode: readonly number[], rex: boolean, modrm: number) => {
    const all = [...opcode];
    if (rex) all.splice(opcode.length - 2, 0, 0x44);
    return `db ${text([...all, modrm]).replaceAll(" ", ", ")}`;
  };
  const machine = sse, memory = { 0xa000: pattern };
  moves[`${name}-load`] = { machine, memory, tried: bytes(load, false, 0x1e), state: loaded };
  moves[`${name}-load-extended`] = {
    machine,
    memory,
    tried: bytes(load, true, 0x26),
    state: loaded.replaceAll("xmm3", "xmm12"),
  };
  moves[`${name}-store`] = {
    machine,
    tried: bytes(store, false, 0x1f),
    state: stored("0xb000", 3),
  };
  moves[`${name}-store-extended`] = {
    machine,
    tried: bytes(store, true, 0x27),
    state: stored("0xb000", 12),
  };
  // XMM5 to XMM3, in either direction's encoding.
  moves[`${name}-register`] = {
    machine,
    tried: bytes(load, false, 0xdd),
    state: "= xmm3.low 0xb5b5b5b5b5b5b5b5\n= xmm3.high 0xb5b5b5b5b5b5b5b5",
  };
  moves[`${name}-register-reverse`] = {
    machine,
    tried: bytes(store, false, 0xeb),
    state: "= xmm3.low 0xb5b5b5b5b5b5b5b5\n= xmm3.high 0xb5b5b5b5b5b5b5b5",
  };
  const fault = aligned ? { vector: GP, error: 0 } : undefined;
  moves[`${name}-load-unaligned`] = {
    machine,
    memory: { 0xa008: pattern },
    registers: { rsi: 0xa008n },
    tried: bytes(load, false, 0x1e),
    fault,
    state: aligned ? "" : loaded,
  };
  moves[`${name}-store-unaligned`] = {
    machine,
    registers: { rdi: 0xb001n },
    tried: bytes(store, false, 0x1f),
    fault,
    state: aligned ? "" : stored("0xb001", 3),
  };
  moves[`${name}-not-enabled`] = { tried: bytes(load, false, 0x1e), fault: { vector: UD } };
  moves[`${name}-emulated`] = {
    machine: { ...sse, cr0: { set: 0x4n } },
    tried: bytes(load, false, 0xdd),
    fault: { vector: UD },
  };
  moves[`${name}-task-switched`] = {
    machine: { ...sse, cr0: { set: 0x8n } },
    tried: bytes(store, false, 0x1f),
    fault: { vector: NM },
  };
}

const rows: Record<string, Try> = {
  ...moves,
  "movntps": { machine: sse, tried: "db 0x0f, 0x2b, 0x1f", state: stored("0xb000", 3) },
  "movntpd": { machine: sse, tried: "db 0x66, 0x0f, 0x2b, 0x1f", state: stored("0xb000", 3) },
  "movntps-unaligned": {
    machine: sse,
    registers: { rdi: 0xb008n },
    tried: "db 0x0f, 0x2b, 0x1f",
    fault: { vector: GP, error: 0 },
  },
  "movntdq": { machine: sse, tried: "db 0x66, 0x0f, 0xe7, 0x1f", state: stored("0xb000", 3) },
  "movntdq-unaligned": {
    machine: sse,
    registers: { rdi: 0xb008n },
    tried: "db 0x66, 0x0f, 0xe7, 0x1f",
    fault: { vector: GP, error: 0 },
  },
  "movntdq-task-switched": {
    machine: { ...sse, cr0: { set: 0x8n } },
    tried: "db 0x66, 0x0f, 0xe7, 0x1f",
    fault: { vector: NM },
  },
  "movnti-32": {
    registers: { rax: 0x1122334455667788n },
    tried: "db 0x0f, 0xc3, 0x07",
    state: "= mem 0xb000 u32 0x55667788",
  },
  "movnti-64": {
    registers: { rax: 0x1122334455667788n },
    tried: "db 0x48, 0x0f, 0xc3, 0x07",
    state: "= mem 0xb000 u64 0x1122334455667788",
  },
  // MM3, which is the low 64 bits of a register of the x87 stack.
  "movq-store": {
    tried: "db 0x0f, 0x7f, 0x1f",
    // It takes the whole stack for its own.
    state: `= mem 0xb000 u8 [${text(repeat(0x53, 8))}]\n= ftw 0xff`,
  },
  "movq-load": {
    memory: { 0xa000: pattern },
    tried: "db 0x0f, 0x6f, 0x1e",
    state: "= st3.low 0xf9fafbfcfdfeff00\n= st3.high 0xffff\n= ftw 0xff",
  },
  "movq-register": {
    tried: "db 0x0f, 0x6f, 0xdd",
    state: "= st3.low 0x5555555555555555\n= st3.high 0xffff\n= ftw 0xff",
  },
  "movq-task-switched": {
    machine: { cr0: { set: 0x8n } },
    tried: "db 0x0f, 0x7f, 0x1f",
    fault: { vector: NM },
  },
  "movq-emulated": {
    machine: { cr0: { set: 0x4n } },
    tried: "db 0x0f, 0x7f, 0x1f",
    fault: { vector: UD },
  },
};
for (
  const [name, instruction] of [["fninit", "fninit"], ["fnstcw", "fnstcw [rdi]"], [
    "fnstsw",
    "fnstsw [rdi]",
  ]]
) {
  rows[`${name}-task-switched`] = {
    machine: { cr0: { set: 0x8n } },
    tried: instruction,
    fault: { vector: NM },
  };
  rows[`${name}-emulated`] = {
    machine: { cr0: { set: 0x4n } },
    tried: instruction,
    fault: { vector: NM },
  };
}

/** What needs x87 instructions beside it, or is undefined where that cannot be told. */
const others: Record<string, Try> = {
  "movntps-register": { machine: sse, tried: "db 0x0f, 0x2b, 0xd9", fault: { vector: UD } },
  "movnti-register": { tried: "db 0x0f, 0xc3, 0xc0", fault: { vector: UD } },
  "fninit": {
    machine: sse,
    before: "mov word [0xb000], 0x27f\nfldcw [0xb000]",
    tried: "fninit",
    state: "= mem 0xb000 u16 0x27f",
  },
  "fnstcw": {
    before: "mov word [0xb000], 0x27f\nfldcw [0xb000]\nmov word [0xb000], 0",
    tried: "fnstcw [rdi]",
    state: "= mem 0xb000 u16 0x27f\n= fcw 0x27f",
  },
  "fnstsw": {
    before: "fninit\nfldz\nfldz",
    tried: "fnstsw [rdi]",
    // TOP is 6.
    state:
      "= mem 0xb000 u16 0x3000\n= fsw 0x3000\n= ftw 0xc0\n= st0.low *\n= st0.high *\n= st1.low *\n= st1.high *\n= st2.low *\n= st2.high *\n= st3.low *\n= st3.high *\n= st4.low *\n= st4.high *\n= st5.low *\n= st5.high *\n= st6.low *\n= st6.high *\n= st7.low *\n= st7.high *",
  },
};

/** Moves of XMM and MM registers, and the x87 instructions that the emulator has. */
export default defineCases(
  "emulate/vector",
  { ...emulated(rows), ...forced(others) },
  ({ row, way }) => ({
    spec: [
      "SDM 2B: MOVAPS, MOVDQA, MOVNTPS, MOVNTI, MOVQ, MOVUPS; 2A: FINIT, FSTCW, FSTSW",
      "SDM 3A 13.1: CR4.OSFXSR, CR0.EM and CR0.TS",
    ],
    ...tryOne({ ...row, registers: { rsi: 0xa000n, rdi: 0xb000n, ...row.registers } }, way),
  }),
);
