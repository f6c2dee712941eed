import { defineCases } from "../../mod.ts";
import { emulated, forced } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

const [UD, NM, GP] = [6, 7, 13];
const sse = { cr4: { set: 0x200n } } as const;

const repeat = (byte: number, count: number) => Array<number>(count).fill(byte);
const text = (bytes: readonly number[]) => bytes.map((byte) => `0x${byte.toString(16)}`).join(" ");
const any = (count: number) => Array(count).fill("*").join(" ");

/** What FXSAVE lays down but for where the last x87 instruction was: from control word to MXCSR. */
const control = (fcw: number) => `0x${(fcw & 0xff).toString(16)} 0x${(fcw >> 8).toString(16)}`;
/** ST0 to ST7, each in 16 bytes, of which 6 are reserved. */
const stack = Array.from(
  { length: 8 },
  (_, number) => `${text(repeat(0x50 + number, 10))} ${text(repeat(0, 6))}`,
).join(" ");

/** An area that FXRSTOR takes: every register with a value of its own. */
const image = [
  0x7f,
  0x02,
  0x00,
  0x00,
  0xff,
  ...repeat(0, 19),
  0x80,
  0x3f,
  ...repeat(0, 6),
  ...Array.from({ length: 8 }, (_, number) => [...repeat(0x20 + number, 10), ...repeat(0, 6)])
    .flat(),
  ...Array.from({ length: 16 }, (_, number) => repeat(0xd0 + number, 16)).flat(),
];
const word = (byte: number) => `0x${byte.toString(16).repeat(8)}`;
const stackState = Array.from(
  { length: 8 },
  (_, number) =>
    `= st${number}.low ${word(0x20 + number)}\n= st${number}.high 0x${
      (0x20 + number).toString(16).repeat(2)
    }`,
).join("\n");
const vectorState = Array.from(
  { length: 8 },
  (_, number) =>
    `= xmm${number}.low ${word(0xd0 + number)}\n= xmm${number}.high ${word(0xd0 + number)}`,
).join("\n");

const rows: Record<string, Try> = {
  "save": {
    mode: "protected",
    machine: sse,
    memory: { 0xb000: repeat(0xcc, 512) },
    tried: "fxsave [0xb000]",
    // XMM0 to XMM7, and nothing behind them.
    state: `= mem 0xb000 u8 [${control(0x37f)} 0x0 0x0 * * ${any(18)} 0x80 0x1f 0x0 0x0 ${
      any(4)
    } ${stack} ${
      Array.from({ length: 8 }, (_, number) => text(repeat(0xb0 + number, 16))).join(" ")
    }]`,
  },
  "save-task-switched": {
    mode: "protected",
    machine: { cr0: { set: 0x8n } },
    tried: "fxsave [0xb000]",
    fault: { vector: NM },
  },
  "save-emulated": {
    mode: "protected",
    machine: { cr0: { set: 0x4n } },
    tried: "fxsave [0xb000]",
    fault: { vector: NM },
  },
  "save-unaligned": {
    mode: "protected",
    machine: sse,
    tried: "fxsave [0xb008]",
    fault: { vector: GP, error: 0 },
  },
  "restore": {
    mode: "protected",
    machine: sse,
    memory: { 0xb000: image },
    tried: "fxrstor [0xb000]",
    state: `= fcw 0x27f\n= ftw 0xff\n= mxcsr 0x3f80\n${stackState}\n${vectorState}`,
  },
  // Bits 31 to 16 of MXCSR are reserved.
  "restore-reserved": {
    mode: "protected",
    machine: sse,
    memory: { 0xb000: image.with(26, 1) },
    tried: "fxrstor [0xb000]",
    fault: { vector: GP, error: 0 },
  },
  "restore-reserved-31": {
    mode: "protected",
    machine: sse,
    memory: { 0xb000: image.with(27, 0x80) },
    tried: "fxrstor [0xb000]",
    fault: { vector: GP, error: 0 },
  },
  "restore-task-switched": {
    mode: "protected",
    machine: { cr0: { set: 0x8n } },
    tried: "fxrstor [0xb000]",
    fault: { vector: NM },
  },
  "restore-emulated": {
    mode: "protected",
    machine: { cr0: { set: 0x4n } },
    tried: "fxrstor [0xb000]",
    fault: { vector: NM },
  },
  "restore-unaligned": {
    mode: "protected",
    machine: sse,
    tried: "fxrstor [0xb004]",
    fault: { vector: GP, error: 0 },
  },
};

const registers: Record<string, Try> = {
  "save-register": { mode: "protected", tried: "db 0x0f, 0xae, 0xc0", fault: { vector: UD } },
};

/** FXSAVE and FXRSTOR in 32-bit code. */
export default defineCases(
  "emulate/fxsave",
  { ...emulated(rows), ...forced(registers) },
  ({ row, way }) => ({
    spec: ["SDM 2A: FXRSTOR, FXSAVE", "SDM 1 10.5: FXSAVE area"],
    ...tryOne(row, way),
  }),
);
