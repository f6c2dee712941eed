import { asm, defineCases } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import {
  afterExits,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  Processor,
  processor,
  recorded,
  requires,
} from "./_vmx.ts";

/** The bitmaps of ports below and above 0x8000, and that of MSRs. */
const PORTS_LOW = 0x100000, PORTS_HIGH = 0x101000, MSRS = 0x102000;

interface Row {
  code: string;
  /** The bit that is set: which bitmap, and its number there. */
  bit?: readonly [map: number, number: number];
  /** Every other bit is set, and this one is not. */
  inverted?: true;
  controls: number;
  /** Where it exits. */
  exit?: ExpectedExit;
  /** What comes of it where it does not. */
  passes?: string;
  state?: string;
}

const rows: Record<string, Row> = {};

/** Ranges of MSRs: name, base, and which KiB of the bitmap has the reads. */
const ranges = [["low", 0, 0], ["high", 0xc0000000, 1]] as const;
for (const [range, start, part] of ranges) {
  for (const [kind, half, reason] of [["read", 0, 31], ["write", 2, 32]] as const) {
    const code = kind === "read" ? "rdmsr" : "wrmsr";
    for (const number of [0, 0x81, 0x1fff]) {
      const msr = start + number;
      rows[`msr-${kind}-${range}-${number.toString(16)}`] = {
        code: `mov ecx, 0x${msr.toString(16)}\n@\n${code}`,
        bit: [MSRS, (part + half) * 8192 + number],
        controls: Processor.msrBitmaps,
        exit: { exitReason: reason },
        state: `= rcx 0x${msr.toString(16)}`,
      };
    }
    // Beyond the bitmap there is no bit to ask.
    for (const msr of [start + 0x2000, start === 0 ? 0xbfffffff : 0xffffffff]) {
      rows[`msr-${kind}-beyond-${msr.toString(16)}`] = {
        code: `mov ecx, 0x${msr.toString(16)}\n@\n${code}`,
        controls: Processor.msrBitmaps,
        exit: { exitReason: reason },
        state: `= rcx 0x${msr.toString(16)}`,
      };
    }
  }
}
// With every bit but its own it passes: SYSENTER_CS below, STAR above.
for (
  const [name, msr, part] of [["low", 0x174, 0], ["high", 0xc0000081, 1]] as const
) {
  const number = msr & 0x1fff;
  rows[`msr-read-passes-${name}`] = {
    code: `mov ecx, 0x${msr.toString(16)}\nmov eax, 0x77\nmov edx, 0x66\n@\nrdmsr`,
    bit: [MSRS, part * 8192 + number],
    inverted: true,
    controls: Processor.msrBitmaps,
    passes: "",
    state: `= rcx 0x${msr.toString(16)}`,
  };
  rows[`msr-write-passes-${name}`] = {
    code: `mov ecx, 0x${msr.toString(16)}\nmov eax, 0x28\nmov edx, 0\n@\nwrmsr`,
    bit: [MSRS, (part + 2) * 8192 + number],
    inverted: true,
    controls: Processor.msrBitmaps,
    passes: "",
    state: `= rcx 0x${msr.toString(16)}
      = rax 0x28`,
  };
}

const port = (number: number, qualification: number): ExpectedExit => ({
  exitReason: 30,
  qualification: BigInt(number) << 16n | BigInt(qualification),
});
const input = (number: number, register: string) => `mov edx, ${number}\n@\nin ${register}, dx`;
const output = (number: number, register: string) => `mov edx, ${number}\n@\nout dx, ${register}`;
const ports = Processor.ioBitmaps;
/** Name, port, bitmap, bit, register, qualification. */
const exits = [
  ["first", 0, PORTS_LOW, 0, "al", 0],
  ["in-byte", 0x42, PORTS_LOW, 0x42, "al", 0],
  ["word-second-byte", 0x42, PORTS_LOW, 0x43, "ax", 1],
  ["dword-last-byte", 0x44, PORTS_LOW, 0x47, "eax", 3],
  ["low-last", 0x7fff, PORTS_LOW, 0x7fff, "al", 0],
  ["high-first", 0x8000, PORTS_HIGH, 0, "al", 0],
  ["across-bitmaps", 0x7fff, PORTS_HIGH, 0, "ax", 1],
  ["high-last", 0xffff, PORTS_HIGH, 0x7fff, "al", 0],
] as const;
for (const [name, number, map, bit, register, size] of exits) {
  rows[`port-in-${name}`] = {
    code: input(number, register),
    bit: [map, bit],
    controls: ports,
    exit: port(number, size | 8),
    ...(number > 0 && { state: `= rdx 0x${number.toString(16)}` }),
  };
  rows[`port-out-${name}`] = {
    code: output(number, register),
    bit: [map, bit],
    controls: ports,
    exit: port(number, size),
    ...(number > 0 && { state: `= rdx 0x${number.toString(16)}` }),
  };
}
// An access that wraps around the 64 Ki ports exits whatever the bitmaps say.
rows["port-wraps"] = {
  code: input(0xffff, "ax"),
  controls: ports,
  exit: port(0xffff, 9),
  state: "= rdx 0xffff",
};
// The bitmaps stand in for unconditional exiting.
rows["port-unconditional-ignored"] = {
  code: output(0x42, "al"),
  controls: ports | Processor.io,
  passes: "pio out 0x42 u8 0x0",
  state: "= rdx 0x42",
};
rows["port-passes"] = {
  code: output(0x42, "al"),
  bit: [PORTS_LOW, 0x42],
  inverted: true,
  controls: ports,
  passes: "pio out 0x42 u8 0x0",
  state: "= rdx 0x42",
};
rows["port-high-passes"] = {
  code: output(0x9042, "al"),
  bit: [PORTS_HIGH, 0x1042],
  inverted: true,
  controls: ports,
  passes: "pio out 0x9042 u8 0x0",
  state: "= rdx 0x9042",
};

/** The bitmaps of ports and of MSRs say, bit by bit, which accesses the hypervisor is told of. */
export default defineCases("nested-vmx/bitmap", rows, (row) => ({
  spec: [
    "SDM 3C 25.6.4: I/O-bitmap addresses",
    "SDM 3C 25.6.9: MSR-bitmap address",
    "SDM 3C 26.1.3: instructions that cause VM exits conditionally",
  ],
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${hypervisor()}
    nested:
    ${row.code.replace("@", "at:")}
    behind:
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    context.vm.memory.addRam(PORTS_LOW, 0x3000, { slot: 1 });
    if (row.inverted) {
      const [map] = row.bit!;
      context.write(map, new Uint8Array(0x1000).fill(0xff));
    }
    if (row.bit !== undefined) {
      const [map, number] = row.bit;
      const one = 1 << (number & 7);
      context.write(map + (number >> 3), Uint8Array.of(row.inverted ? ~one : one));
    }
    const fields: Fields = {
      processorControls: processor(row.controls),
      ioBitmapA: PORTS_LOW,
      ioBitmapB: PORTS_HIGH,
      msrBitmap: MSRS,
      guestSysenterCs: 0,
    };
    prepare(context, { fields });
    if (row.passes?.startsWith("pio")) context.run();
    context.run();
  },
  trace: ({ at, behind }) => `
    > slot 0x1 gpa=0x100000 size=0x3000
    ${row.passes ?? ""}
    hlt
    ${
    recorded([
      row.exit
        ? { guestRip: at, instructionLength: Number(behind) - Number(at), ...row.exit }
        : { guestRip: behind, exitReason: 18, instructionLength: 3 },
    ])
  }
    ${row.state ?? ""}
    ${afterExits}
  `,
}));
