/** The register classes an operand can have. */
export type RegisterClass =
  | "r8"
  | "r16"
  | "r32"
  | "r64"
  | "sreg"
  | "cr"
  | "dr"
  | "tr"
  | "st"
  | "mm"
  | "xmm"
  | "ymm"
  | "zmm"
  | "k"
  | "bnd"
  | "tmm";

/** A register of the instruction set. */
export interface Register {
  name: string;
  class: RegisterClass;
  /** Its number in an encoding; ah, ch, dh, bh are 4 to 7, as spl to dil are. */
  number: number;
  /** It exists in 64-bit mode only. */
  long: boolean;
}

/** Every register, by its lower-case name. */
export const registers: ReadonlyMap<string, Register> = buildRegisters();

/** The general-purpose register of a class and number, by its usual name. */
export function generalRegister(registerClass: RegisterClass, number: number): Register {
  for (const register of registers.values()) {
    if (register.class === registerClass && register.number === number) return register;
  }
  throw new RangeError(`there is no register ${number} of class ${registerClass}`);
}

function buildRegisters(): Map<string, Register> {
  const all = new Map<string, Register>();
  const add = (registerClass: RegisterClass, names: string[], long = false, first = 0) =>
    names.forEach((name, index) =>
      all.set(name, { name, class: registerClass, number: first + index, long })
    );
  const numbered = (prefix: string, count: number, from = 0, suffix = "") =>
    Array.from({ length: count - from }, (_, index) => `${prefix}${from + index}${suffix}`);
  const words = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
  add("r8", ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"]);
  add("r8", ["spl", "bpl", "sil", "dil"], true, 4);
  add("r8", numbered("r", 16, 8, "l"), true, 8);
  add("r8", numbered("r", 16, 8, "b"), true, 8);
  add("r16", words);
  add("r16", numbered("r", 16, 8, "w"), true, 8);
  add("r32", words.map((word) => "e" + word));
  add("r32", numbered("r", 16, 8, "d"), true, 8);
  add("r64", words.map((word) => "r" + word), true);
  add("r64", numbered("r", 16, 8), true, 8);
  add("sreg", ["es", "cs", "ss", "ds", "fs", "gs"]);
  for (const registerClass of ["cr", "dr"] as const) {
    add(registerClass, numbered(registerClass, 8));
    add(registerClass, numbered(registerClass, 16, 8), true, 8);
  }
  for (const vector of ["xmm", "ymm", "zmm"] as const) {
    add(vector, numbered(vector, 8));
    add(vector, numbered(vector, 32, 8), true, 8);
  }
  for (const plain of ["tr", "st", "mm", "k"] as const) add(plain, numbered(plain, 8));
  add("tmm", numbered("tmm", 8), true);
  add("bnd", numbered("bnd", 4));
  all.set("st", all.get("st0")!);
  return all;
}
