import { asm, defineCases } from "../../mod.ts";

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

const rows: Record<string, { register: Special; operand: General }> = Object.fromEntries(
  (Object.keys(special) as Special[]).flatMap((register) =>
    general.map((operand) => [`${register}-${operand}`, { register, operand }])
  ),
);

/** MOV to and from control and debug registers works with every general register, whole. */
export default defineCases("exit/register-operand", rows, ({ register, operand }) => {
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
    registers,
    guest: asm`
      mov ${register}, ${operand}
      mov ${operand}, -1
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
