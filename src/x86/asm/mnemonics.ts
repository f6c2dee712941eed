import { type Bits, formsOf } from "./codec.ts";

const CONDITIONS: Record<string, string> = {
  c: "b",
  nae: "b",
  nb: "ae",
  nc: "ae",
  z: "e",
  nz: "ne",
  na: "be",
  nbe: "a",
  pe: "p",
  po: "np",
  nge: "l",
  nl: "ge",
  ng: "le",
  nle: "g",
};

const ALIASES: Record<string, string> = {
  loopz: "loope",
  loopnz: "loopne",
  sal: "shl", // D0 /6 does the same; assemblers emit /4
  xlat: "xlatb",
  fwait: "wait",
  icebp: "int1",
  int03: "int3",
  int01: "int1",
  retn: "ret",
  ud2a: "ud2",
  ud2b: "ud1",
};

/** Mnemonics whose spelling depends on the operand size: word, dword and qword form. */
const SIZED: Record<string, [string, string, string]> = {
  iret: ["iret", "iretd", "iretq"],
  pusha: ["pusha", "pushad", ""],
  popa: ["popa", "popad", ""],
  pushf: ["pushf", "pushfd", "pushfq"],
  popf: ["popf", "popfd", "popfq"],
  sysret: ["", "sysret", "sysretq"],
  sysexit: ["", "sysexit", "sysexitq"],
};

const SIZE_SUFFIXES: Record<string, Bits> = { w: 16, d: 32, q: 64 };

/** A mnemonic as the encoder library has it, and the operand size that its spelling asks for. */
export interface Mnemonic {
  name: string;
  operandSize?: Bits;
}

/** Finds the instruction for a lower-case mnemonic, or undefined if there is none. */
export function resolveMnemonic(
  word: string,
  bits: Bits,
  operandSize: Bits | undefined,
): Mnemonic | undefined {
  if (Object.hasOwn(SIZED, word)) {
    // IRET and SYSRET stay 32-bit in 64-bit mode unless a suffix or o64 says otherwise.
    const long = bits === 64 && operandSize === undefined && /^(push|pop)f$/.test(word);
    const size = operandSize ?? (bits === 64 ? (long ? 64 : 32) : bits);
    const name = SIZED[word][size === 16 ? 0 : size === 32 ? 1 : 2];
    if (name !== "") return { name, operandSize: undefined };
    return word.startsWith("sys") ? { name: word } : { name: SIZED[word][1] };
  }
  const suffix = /^(iret|pusha|popa|pushf|popf|ret|retf|retn)([wdq])$/.exec(word);
  if (suffix) {
    const [, stem, letter] = suffix;
    const size = SIZE_SUFFIXES[letter];
    if (Object.hasOwn(SIZED, stem)) {
      const name = SIZED[stem][size === 16 ? 0 : size === 32 ? 1 : 2];
      return name === "" ? undefined : { name };
    }
    return { name: ALIASES[stem] ?? stem, operandSize: size };
  }
  const conditional = /^(j|set|cmov)([a-z]+)$/.exec(word);
  if (conditional && Object.hasOwn(CONDITIONS, conditional[2])) {
    return { name: conditional[1] + CONDITIONS[conditional[2]], operandSize };
  }
  const name = Object.hasOwn(ALIASES, word) ? ALIASES[word] : word;
  return formsOf(name).length > 0 ? { name, operandSize } : undefined;
}
