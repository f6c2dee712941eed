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
  // More than KVM's page of port data holds, over several pages of memory.
  "insb-up": { mode: "long", instruction: "rep insb", size: 1, start: 0xa7ff, count: 4200 },
  "insb-down": {
    mode: "protected",
    instruction: "rep insb",
    size: 1,
    start: 0xc012,
    count: 1300,
    down: true,
  },
  // Elements that lie on two pages.
  "insw-up": { mode: "real", instruction: "rep insw", size: 2, start: 0xafe1, count: 700 },
  "insw-down": {
    mode: "long",
    instruction: "rep insw",
    size: 2,
    start: 0xb00f,
    count: 40,
    down: true,
  },
  "insd-up": { mode: "protected", instruction: "rep insd", size: 4, start: 0xaff2, count: 600 },
  "insd-down": {
    mode: "long",
    instruction: "rep insd",
    size: 4,
    start: 0xb011,
    count: 300,
    down: true,
  },
  // Pages that the first element begins or the last one ends.
  "insd-page": { mode: "long", instruction: "rep insd", size: 4, start: 0xb000, count: 1024 },
  "insd-page-end": { mode: "long", instruction: "rep insd", size: 4, start: 0xaff0, count: 4 },
  "insb-page-start-down": {
    mode: "long",
    instruction: "rep insb",
    size: 1,
    start: 0xb003,
    count: 4,
    down: true,
  },
};

/**
 * However many elements REP INS has, and however KVM splits them over exits and pages, each comes from
 * the port once and lies in memory at its place, and nothing beside them changes.
 */
export default defineCases(
  "pio/rep-ins-long-runs",
  rows,
  ({ mode, instruction, size, start, count, down = false }) => {
    const values = Array.from(
      { length: count },
      (_, index) => (index * 0x9e3779b1 + 0x85ebca6b >>> 0) % 2 ** (8 * size),
    );
    const length = count * size;
    const lowest = down ? start - length + size : start;
    return {
      spec: ["KVM API 5: KVM_EXIT_IO", "SDM 2A: INS", "SDM 2B: REP"],
      mode,
      machine: { rflags: { set: down ? DIRECTION_FLAG : 0n } },
      registers: { rcx: BigInt(count), rdx: 0x1f0n, rdi: BigInt(start) },
      guest: asm`
        ${instruction}
        hlt
      `,
      trace: `
        pio in 0x1f0 u${8 * size} -> ${list(values)}
        hlt
        = mem 0x${lowest.toString(16)} u${8 * size} ${list(down ? values.toReversed() : values)}
        = rcx 0x0
        = rdi 0x${(down ? start - length : start + length).toString(16)}
      `,
    };
  },
);
