import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

/** BX, BP, SI and DI. */
const registers = { bx: 0x0100, bp: 0x0220, si: 0x0044, di: 0x0068 };

/** The eight forms in the order of their encoding; BP's take the stack's segment. */
const forms = [
  { base: registers.bx + registers.si, stack: false },
  { base: registers.bx + registers.di, stack: false },
  { base: registers.bp + registers.si, stack: true },
  { base: registers.bp + registers.di, stack: true },
  { base: registers.si, stack: false },
  { base: registers.di, stack: false },
  { base: registers.bp, stack: true },
  { base: registers.bx, stack: false },
] as const;

interface Row {
  /** The ModRM byte's upper two bits. */
  mod: 0 | 1 | 2;
  /** Its displacement, as bytes. */
  bytes: readonly number[];
  displacement: number;
  /** A segment override prefix, which the stack's default gives way to. */
  override?: { prefix: number; segment: number };
}

const DS = 0xa00, SS = 0xb00, ES = 0xc00;

const rows: Record<string, Row> = {
  "none": { mod: 0, bytes: [], displacement: 0 },
  "8": { mod: 1, bytes: [0x12], displacement: 0x12 },
  "8-negative": { mod: 1, bytes: [0xf0], displacement: -0x10 },
  "16": { mod: 2, bytes: [0x34, 0x02], displacement: 0x234 },
  // Offsets are of 16 bits: they wrap.
  "16-negative": { mod: 2, bytes: [0xe0, 0xff], displacement: -0x20 },
  "override-es": {
    mod: 1,
    bytes: [0x12],
    displacement: 0x12,
    override: { prefix: 0x26, segment: ES },
  },
  "override-ds": {
    mod: 1,
    bytes: [0x12],
    displacement: 0x12,
    override: { prefix: 0x3e, segment: DS },
  },
  "override-ss": {
    mod: 1,
    bytes: [0x12],
    displacement: 0x12,
    override: { prefix: 0x36, segment: SS },
  },
};

const hexBytes = (bytes: readonly number[]) =>
  bytes.map((byte) => `0x${byte.toString(16)}`).join(", ");

/** The eight forms of an address of 16 bits, by displacement, and the segment that each takes. */
export default defineCases("emulate/addressing-16", inBothWays(rows), ({ row, way }) => {
  const { mod, bytes, displacement, override } = row;
  const code: string[] = [], trace: string[] = [];
  forms.forEach(({ base, stack }, form) => {
    // Form 6 without a displacement is a displacement of 16 bits alone.
    const alone = mod === 0 && form === 6;
    const encoded = [
      ...(override ? [override.prefix] : []),
      0x8b,
      mod << 6 | form,
      ...(alone ? [0x78, 0x01] : bytes),
    ];
    code.push(way.prefix, `db ${hexBytes(encoded)}`, "out 0x10, ax");
    const offset = alone ? 0x178 : base + displacement & 0xffff;
    const segment = override?.segment ?? (stack && !alone ? SS : DS);
    trace.push(`pio out 0x10 u16 0x${((segment << 4) + offset).toString(16)}`);
  });
  return {
    spec: "SDM 2A 2.1.5: addressing-mode encoding, table 2-1",
    mode: "real",
    requires: way.requires,
    registers: {
      rbx: BigInt(registers.bx),
      rbp: BigInt(registers.bp),
      rsi: BigInt(registers.si),
      rdi: BigInt(registers.di),
    },
    guest: asm`
      mov ax, ${DS}
      mov ds, ax
      mov ax, ${SS}
      mov ss, ax
      mov ax, ${ES}
      mov es, ax
      ${code.join("\n")}
      xor ax, ax
      hlt
    `,
    drive: ({ write }) => {
      // Each word is its own address.
      write(
        0xa000,
        new Uint8Array(Uint16Array.from({ length: 0x1800 }, (_, n) => 0xa000 + 2 * n).buffer),
      );
    },
    trace: `
      ${trace.join("\n")}
      hlt
      = rflags 0x46
      = ds.selector 0xa00
      = ds.base 0xa000
      = ss.selector 0xb00
      = ss.base 0xb000
      = es.selector 0xc00
      = es.base 0xc000
    `,
  };
});
