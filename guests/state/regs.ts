import { asm, defineCases, type Registers, RFLAGS } from "../../mod.ts";
import { Random } from "./_random.ts";

const { CF, PF, AF, ZF, SF, IF, DF, OF, IOPL, NT, RF, AC, ID, FIXED } = RFLAGS;
const flags = CF | PF | AF | ZF | SF | IF | DF | OF | IOPL | NT | RF | AC | ID;

const rows = { "seed-1": 1, "seed-2": 2, "seed-3": 3, "seed-4": 4 };

/** KVM_GET_REGS gives every general register, RIP and RFLAGS as KVM_SET_REGS was given them. */
export default defineCases("state/regs", rows, (seed) => ({
  spec: ["KVM API 4.11: KVM_GET_REGS", "KVM API 4.12: KVM_SET_REGS"],
  mode: "long",
  guest: asm`hlt`,
  drive({ vcpu, assertEquals }) {
    const random = new Random(seed);
    const before = vcpu.regs();
    const names = Object.keys(before) as (keyof Registers)[];
    const set = Object.fromEntries(names.map((name) => [name, random.next()])) as unknown;
    const registers: Registers = {
      ...set as Registers,
      rip: random.canonical(),
      rflags: FIXED | random.some(flags),
    };
    vcpu.setRegs(registers);
    assertEquals("the registers", vcpu.regs(), registers);
    vcpu.setRegs(before);
    assertEquals("the registers as before", vcpu.regs(), before);
  },
  trace: `
    > set-regs
    > set-regs
    hlt
  `,
}));
