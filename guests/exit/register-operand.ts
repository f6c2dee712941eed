import { asm, defineCases } from "../../mod.ts";
import { type Way, ways } from "../_ways.ts";

/** A value that is not the register's, that it can take, and what it reads then. */
const special = {
  cr0: { value: 0x8005003bn, other: 0xffffffff80050033n },
  cr2: { value: 0xffff_8000_89ab_cdefn, other: 0x1234n },
  cr3: { value: 0x10018n, other: 0x20000000000000n },
  cr4: { value: 0x6acn, other: 0xf000000000000020n },
  cr8: { value: 0x9n, other: 0x15n },
  dr1: { value: 0xffff_8000_1234_5678n, other: 0x4321n },
  dr6: { value: 0xffff2ff5n, other: 0x1_0000_0000n },
  dr7: { value: 0x700n, other: 0x1_0000_0400n },
} as const;

const general = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const;

type General = (typeof general)[number];
type Special = keyof typeof special;

/** What KVM lets the guest do by itself, as it is run by KVM's instruction emulator too. */
const own: readonly Special[] = ["cr2", "cr3", "dr1", "dr6", "dr7"];
const some: readonly General[] = ["rax", "rsp", "rbp", "r13"];

interface Row {
  register: Special;
  operand: General;
  way: Way;
}

const rows: Record<string, Row> = Object.fromEntries([
  ...(Object.keys(special) as Special[]).flatMap((register) =>
    general.map((operand) => [`${register}-${operand}`, { register, operand, way: ways[""] }])
  ),
  ...own.flatMap((register) =>
    some.map((operand) => {
      const way = ways["-forced"];
      return [`${register}-${operand}-forced`, { register, operand, way }];
    })
  ),
]);

/** MOV to and from control and debug registers works with every general register, whole. */
export default defineCases("exit/register-operand", rows, ({ register, operand, way }) => {
  const { value, other } = special[register];
  // No other general register holds what could be written: it would be refused or seen.
  const registers = Object.fromEntries(
    general.map((name, number) => {
      const unlike = BigInt.asUintN(64, other + (BigInt(number) << 56n));
      return [name, name === operand ? value : unlike];
    }),
  );
  const kept = general.filter((name) => name !== operand)
    .map((name) => `= ${name} 0x${registers[name].toString(16)}`);
  return {
    spec: [
      "SDM 2B: MOV to and from control registers",
      "SDM 2B: MOV to and from debug registers",
    ],
    mode: "long",
    requires: way.requires,
    registers,
    guest: asm`
      ${way.prefix}
      mov ${register}, ${operand}
      mov ${operand}, -1
      ${way.prefix}
      mov ${operand}, ${register}
      hlt
    `,
    trace: `
      hlt
      ${kept.join("\n")}
      = ${operand} 0x${value.toString(16)}
      = ${register} 0x${value.toString(16)}
      = rflags *
    `,
  };
});
