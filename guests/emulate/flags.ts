import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  before: bigint;
  instruction: string;
  /** RFLAGS and RAX behind it. */
  after: bigint;
  rax?: bigint;
  leftRax?: bigint;
}

const rows: Record<string, Row> = {
  clc: { before: 0x8d7n, instruction: "clc", after: 0x8d6n },
  stc: { before: 0x2n, instruction: "stc", after: 0x3n },
  "cmc-set": { before: 0x8d7n, instruction: "cmc", after: 0x8d6n },
  "cmc-clear": { before: 0x2n, instruction: "cmc", after: 0x3n },
  cld: { before: 0xcd7n, instruction: "cld", after: 0x8d7n },
  std: { before: 0x8d7n, instruction: "std", after: 0xcd7n },
  cli: { before: 0x2d7n, instruction: "cli", after: 0xd7n },
  sti: { before: 0xd7n, instruction: "sti\nnop", after: 0x2d7n },
  // AH is SF:ZF:0:AF:0:PF:1:CF.
  lahf: {
    before: 0x8d7n,
    instruction: "lahf",
    after: 0x8d7n,
    rax: 0x1122334455667788n,
    leftRax: 0x112233445566d788n,
  },
  "lahf-clear": {
    before: 0x802n,
    instruction: "lahf",
    after: 0x802n,
    rax: 0x1122334455667788n,
    leftRax: 0x1122334455660288n,
  },
  "sahf-ones": { before: 0x802n, instruction: "sahf", after: 0x8d7n, rax: 0xff00n },
  "sahf-zeros": { before: 0x8d7n, instruction: "sahf", after: 0x802n, rax: 0x0n },
  "sahf-reserved": { before: 0x2n, instruction: "sahf", after: 0x2n, rax: 0x2a00n },
  // Everything that CPL 0 may load: IOPL, NT, AC, ID and the rest; RF and VM it may not.
  "popf-all": {
    before: 0x2n,
    instruction: "popfq",
    after: 0x247ed7n,
    rax: 0xffffffffffe77ed7n,
  },
  "popf-none": { before: 0x247cd7n, instruction: "popfq", after: 0x2n, rax: 0x0n },
  // 16 bits leave AC and ID.
  "popf-16": { before: 0x240002n, instruction: "popf16", after: 0x244ad7n, rax: 0x4ad7n },
  // PUSHF hides VM and RF and shows the rest.
  pushf: {
    before: 0x247cd7n,
    instruction: "pushfq\npop rax",
    after: 0x247cd7n,
    leftRax: 0x247cd7n,
  },
};

/** Instructions that work on flags, and nothing else. */
export default defineCases("emulate/flags", inBothWays(rows), ({ row, way }) => {
  const { before, instruction, after, rax = 0n, leftRax = rax } = row;
  // POPF takes what RAX holds.
  const code = instruction === "popfq"
    ? `push rax\n${way.prefix}\npopfq`
    : instruction === "popf16"
    ? `push ax\n${way.prefix}\ndb 0x66, 0x9d`
    : `${way.prefix}\n${instruction}`;
  return {
    spec: ["SDM 2: CLC, CLD, CLI, CMC, LAHF, POPF, PUSHF, SAHF, STC, STD, STI"],
    mode: "long",
    requires: way.requires,
    machine: { rflags: { set: before } },
    registers: { rax },
    guest: asm`
      ${code}
      mov qword [0x7ff8], 0
      hlt
    `,
    trace: `
      hlt
      = rflags 0x${after.toString(16)}
      = rax 0x${leftRax.toString(16)}
    `,
  };
});
