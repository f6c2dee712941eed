import { asm, defineCases } from "../../mod.ts";
import { DIRECTION_FLAG, list, type PortMode } from "./_machine.ts";

interface Row {
  readonly mode: PortMode;
  readonly instruction: string;
  readonly size: 1 | 2 | 4;
  readonly start: number;
  readonly count: number;
  readonly down?: true;
}

const rows: Record<string, Row> = {
  "outsb-up": { mode: "long", instruction: "rep outsb", size: 1, start: 0xaf91, count: 300 },
  "outsb-down": {
    mode: "protected",
    instruction: "rep outsb",
    size: 1,
    start: 0xb07e,
    count: 200,
    down: true,
  },
  // Elements that lie on two pages.
  "outsw-up": { mode: "real", instruction: "rep outsw", size: 2, start: 0xafe1, count: 60 },
  "outsd-up": { mode: "protected", instruction: "rep outsd", size: 4, start: 0xafe2, count: 60 },
  "outsd-down": {
    mode: "long",
    instruction: "rep outsd",
    size: 4,
    start: 0xb031,
    count: 60,
    down: true,
  },
};

/** However many elements REP OUTS has, each goes to the port once, in order, over any page. */
export default defineCases(
  "pio/rep-outs-long-runs",
  rows,
  ({ mode, instruction, size, start, count, down = false }) => {
    const length = count * size;
    const lowest = down ? start - length + size : start;
    const bytes = Uint8Array.from({ length }, (_, index) => index * 0x9d + 0x35);
    const elements = Array.from({ length: count }, (_, index) => {
      const element = bytes.subarray(index * size, (index + 1) * size);
      return element.reduceRight((value, byte) => value * 0x100 + byte, 0);
    });
    return {
      spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2B: OUTS", "SDM 2B: REP"],
      mode,
      machine: { rflags: { set: down ? DIRECTION_FLAG : 0n } },
      registers: { rcx: BigInt(count), rdx: 0x1f0n, rsi: BigInt(start) },
      guest: asm`
        ${instruction}
        hlt
      `,
      drive: ({ write }) => write(lowest, bytes),
      trace: `
        pio out 0x1f0 u${8 * size} ${list(down ? elements.toReversed() : elements)}
        hlt
        = rcx 0x0
        = rsi 0x${(down ? start - length : start + length).toString(16)}
      `,
    };
  },
);
