import type { Bits, Form } from "./codec.ts";
import { SourceFault } from "./error.ts";
import type { Value } from "./expression.ts";
import type { Operand } from "./operand.ts";
import { generalRegister, type RegisterClass } from "./registers.ts";

/** A form that fits the operands as written; the operands may be reordered or resized for it. */
export interface Candidate {
  form: Form;
  /** The operands for the form's explicit kinds, in the form's order. */
  operands: Operand[];
  /** Indices into the form's kinds of those operands. */
  places: number[];
  /** What its immediate may be, where that is less than its kind allows. */
  only?: "number" | "unsigned number";
}

/** What is known about an instruction besides its operands. */
export interface Request {
  name: string;
  /** The mnemonic as written, for messages. */
  word: string;
  bits: Bits;
  operandSize?: Bits;
  addressSize?: Bits;
  column: number;
}

const FIXED: ReadonlySet<string> = new Set(
  "es cs ss ds fs gs al cl ax dx eax rax st0".split(" "),
);
const IMMEDIATE_SIZES: Record<string, number[]> = {
  imm4_m2z: [1],
  imm8: [1],
  imm8_const_1: [1],
  imm8sex16: [1, 2],
  imm8sex32: [1, 4],
  imm8sex64: [1, 4, 8],
  imm16: [2],
  imm32: [4],
  imm32sex64: [4, 8],
  imm64: [8],
};
const registerClasses = new Map<string, RegisterClass | undefined>();

/** The class of the registers that an operand kind stands for. */
function registerClassOf(kind: string): RegisterClass | undefined {
  if (!registerClasses.has(kind)) {
    const found = /^(r8|r16|r32|r64|cr|dr|tr|k|bnd|mm|xmm|ymm|zmm|tmm)(?:p[13])?_/.exec(kind);
    const registerClass = kind === "sti_opcode" ? "st" : kind === "seg_reg" ? "sreg" : found?.[1];
    registerClasses.set(kind, registerClass as RegisterClass | undefined);
  }
  return registerClasses.get(kind);
}

/** Does an operand suit a kind, whatever its value? */
function suits(form: Form, kind: string, operand: Operand, request: Request): boolean {
  switch (operand.kind) {
    case "register": {
      const { register } = operand;
      if (FIXED.has(kind)) return register.name === kind;
      if (register.number > 15 && form.preference % 10 !== 2) return false;
      return register.class === registerClassOf(kind);
    }
    case "memory":
      return suitsMemory(form, kind, operand, request);
    case "far":
      return kind === (farOffsetSize(operand.size, request) === 16 ? "farbr2_2" : "farbr4_2");
    case "immediate": {
      if (/^(br\d|xbegin)/.test(kind)) {
        const short = kind.endsWith("_1");
        if (operand.distance === "short" && !short) return false;
        if (operand.distance === "near" && short) return false;
        // A size word means the near form, as in nasm, where there is one.
        if (operand.size !== undefined && short && !operand.distance && hasNearForm(request.name)) {
          return false;
        }
        return operand.size === undefined || operand.size * 8 === form.operandSize;
      }
      if (operand.distance !== undefined) return false;
      const sizes = IMMEDIATE_SIZES[kind];
      if (sizes === undefined) return false;
      if (operand.size === undefined) return true;
      // PUSH has no other operand that tells its size: there the word is the operand size.
      if (request.name === "push" && operand.size > 1) {
        return form.operandSize ===
          (request.bits === 64 && operand.size === 4 ? 64 : operand.size * 8);
      }
      return sizes.includes(operand.size);
    }
  }
}

const hasNearForm = (name: string): boolean => /^j(?![er]?cxz)/.test(name);

function farOffsetSize(size: number | undefined, { operandSize, bits }: Request): number {
  return size !== undefined ? size * 8 : operandSize ?? (bits === 16 ? 16 : 32);
}

const isFar = (form: Form): boolean => form.memoryType.startsWith("SegPtr");

function suitsMemory(
  form: Form,
  kind: string,
  operand: Operand & { kind: "memory" },
  request: Request,
): boolean {
  const { address, size } = operand;
  if (kind === "mem_offs") {
    if (address.base || address.index || address.relative) return false;
    // In 64-bit mode the 8-byte offset is for those who ask for it.
    if (request.bits === 64 && address.displacementSize !== 8) return false;
  } else {
    if (!/(_or_mem|^mem)/.test(kind)) return false;
    if (address.displacementSize === 8) return false;
    const vector = /^mem_vsib\d\d([xyz])$/.exec(kind)?.[1];
    const index = address.index?.class;
    if (vector !== undefined ? index !== `${vector}mm` : /^[xyz]mm$/.test(index ?? "")) {
      return false;
    }
  }
  if (request.name === "jmp" || request.name === "call") {
    if (isFar(form)) {
      if (!operand.far) return size === 6 && form.operandSize === 32;
      return size === undefined || size * 8 === form.operandSize;
    }
    if (operand.far) return false;
  } else if (operand.far) return false;
  return size === undefined || form.memorySize === 0 || size === form.memorySize;
}

/** May this form stand for an operand of unstated size, the mode deciding? */
function sizeFollowsMode(form: Form, { name, bits }: Request): boolean {
  // In 64-bit mode assemblers differ on the size of an unsized far pointer.
  if (name === "jmp" || name === "call") return !(isFar(form) && bits === 64);
  return /^(FpuEnv|FpuState|Fword|SegPtr)/.test(form.memoryType);
}

/** Instructions that use 16 bits of a register, whatever the operand size in their encoding. */
const NARROW: ReadonlySet<string> = new Set(["lldt", "ltr", "verr", "verw", "lmsw", "arpl"]);

/**
 * The forms for the operands as written, the preferred one first; those after it serve values that
 * do not fit the ones before.
 */
export function candidatesFor(
  forms: readonly Form[],
  operands: Operand[],
  request: Request,
): Candidate[] {
  const { bits, name } = request;
  const matched: Candidate[] = [];
  let best = -1;
  const counts = new Set<number>();
  const orders = operandOrders(name, operands, bits);
  for (const order of orders) {
    for (const form of forms) {
      const places = form.explicit;
      counts.add(places.length);
      if (places.length !== order.length) continue;
      const wrong = places.findIndex((place, index) =>
        !suits(form, form.kinds[place], order[index], request)
      );
      if (wrong >= 0) {
        if (order === operands || orders.length === 1) best = Math.max(best, wrong);
        continue;
      }
      // 90h is NOP in 64-bit mode and does not clear the upper half of RAX.
      if (
        bits === 64 && form.kinds[1] === "eax" && form.kinds[0] === "r32_opcode" &&
        order[0].kind === "register" && order[0].register.number === 0
      ) continue;
      matched.push({ form, operands: order, places });
    }
  }
  if (matched.length === 0) throw mismatch(operands, request, counts, best);
  let usable = matched.filter(({ form }) => form.modes[bits]);
  if (usable.length === 0) {
    throw new SourceFault(
      `this form of ${request.word} does not exist in ${bits}-bit mode`,
      request.column,
    );
  }
  checkAmbiguity(usable, operands, request);
  usable = narrowBySize(usable, request);
  const sorted = usable
    .map((candidate, index) => ({ candidate, index, rank: rankOf(candidate.form, bits) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ candidate }) => candidate);
  const { form } = sorted[0];
  const kept = sorted.filter((other) =>
    other.form.operandSize === form.operandSize && other.form.addressSize === form.addressSize
  );
  return zeroExtendedMove(forms, kept, name);
}

/** Commutative operands also in the other order; a selector register in the mode's own size. */
function operandOrders(name: string, operands: Operand[], bits: Bits): Operand[][] {
  const [first, second] = operands;
  // nasm, and the disassembler's nasm syntax, have XCHG's first register in ModRM.reg.
  if (name === "xchg" && operands.length === 2) return [[second, first], operands];
  if (name === "test" && operands.length === 2) return [operands, [second, first]];
  const natural = bits === 16 ? "r16" : "r32";
  if (NARROW.has(name) || (name === "mov" && isSegment(first))) {
    return [operands.map((operand) => resized(operand, natural))];
  }
  // A store of a selector clears the rest of the register, REX.W or not.
  const stored = name === "sldt" || (name === "mov" && isSegment(second));
  if (stored && first?.kind === "register" && first.register.class === "r64") {
    return [[resized(first, "r32"), ...operands.slice(1)]];
  }
  if ((name === "lar" || name === "lsl") && first?.kind === "register" && second !== undefined) {
    return [[first, resized(second, first.register.class)]];
  }
  return [operands];
}

const isSegment = (operand: Operand | undefined): boolean =>
  operand?.kind === "register" && operand.register.class === "sreg";

/** A general register of 16 bits or more in another size; any other operand as it is. */
function resized(operand: Operand, registerClass: RegisterClass): Operand {
  if (operand.kind !== "register" || !/^r(16|32|64)$/.test(operand.register.class)) return operand;
  return { ...operand, register: generalRegister(registerClass, operand.register.number) };
}

function mismatch(
  operands: Operand[],
  request: Request,
  counts: Set<number>,
  best: number,
): SourceFault {
  if (!counts.has(operands.length)) {
    const taken = [...counts].sort().join(" or ");
    return new SourceFault(
      `${request.word} takes ${taken} operand${taken === "1" ? "" : "s"}, not ${operands.length}`,
      operands[0]?.column ?? request.column,
    );
  }
  const operand = operands[Math.max(best, 0)];
  if (operand?.kind === "immediate" && operand.expression.kind === "symbol") {
    return new SourceFault(
      `${request.word} has no form with a number here, and "${operand.expression.name}" is no register`,
      operand.column,
    );
  }
  return new SourceFault(
    operands.length > 1 && best > 0
      ? `${request.word} has no form with this operand after the ones before it (kind or size)`
      : `${request.word} has no form with this operand (kind or size)`,
    operand?.column ?? request.column,
  );
}

function checkAmbiguity(usable: Candidate[], operands: Operand[], request: Request): void {
  const unsized = operands.find((operand) =>
    operand.kind === "memory" && operand.size === undefined
  );
  if (unsized === undefined || request.operandSize !== undefined) return;
  const sizes = new Set(
    usable.filter(({ form }) => !sizeFollowsMode(form, request))
      .map(({ form }) => form.memorySize),
  );
  if (sizes.size > 1) {
    throw new SourceFault(
      "the size of the memory operand is not stated: write byte, word, dword, ... before it",
      unsized.column,
    );
  }
}

function narrowBySize(usable: Candidate[], request: Request): Candidate[] {
  const { operandSize, addressSize, bits, word, column } = request;
  let narrowed = usable;
  if (operandSize !== undefined) {
    narrowed = narrowed.filter(({ form }) => form.operandSize === operandSize);
    if (narrowed.length === 0) {
      throw new SourceFault(
        `this form of ${word} has no ${operandSize}-bit operand size in ${bits}-bit mode ` +
          "(write a prefix that the instruction ignores with db)",
        column,
      );
    }
  }
  const wanted = addressSize ?? bits;
  if (narrowed.some(({ form }) => form.addressSize !== 0)) {
    const sized = narrowed.filter(({ form }) => form.addressSize === wanted);
    if (sized.length > 0) return sized;
    if (addressSize !== undefined) {
      throw new SourceFault(
        `this form of ${word} has no ${addressSize}-bit address size in ${bits}-bit mode`,
        column,
      );
    }
  }
  return narrowed;
}

/** Lower is better: encoding, then the mode's own operand size, then the length. */
function rankOf(form: Form, bits: Bits): number {
  const natural = form.operandSize === 0 ||
    (bits === 64
      ? (form.operandSize === 64 ? form.default64 : form.operandSize === 32)
      : form.operandSize === bits);
  return form.preference * 1000 + (natural ? 0 : 100) + lengthOf(form, bits);
}

function lengthOf(form: Form, bits: Bits): number {
  let length = 0;
  for (const kind of form.kinds) {
    const immediate = /^imm(8|16|32|64)/.exec(kind)?.[1];
    if (kind === "imm8_const_1") continue;
    if (immediate !== undefined) length += 2 * Number(immediate) / 8;
    else if (kind === "mem_offs") length += bits === 64 ? 8 : 0;
    else if (/^br\d+_/.test(kind)) length += 2 * Number(kind.slice(-1));
    else if (/_or_mem|^mem|_reg|_rm/.test(kind)) length |= 1;
  }
  return length;
}

/** MOV of a constant to a 64-bit register is also a MOV to its lower half, which clears the rest. */
function zeroExtendedMove(
  forms: readonly Form[],
  candidates: Candidate[],
  name: string,
): Candidate[] {
  const { form, operands } = candidates[0];
  const [target, source] = operands;
  if (
    name !== "mov" || form.operandSize !== 64 || target.kind !== "register" ||
    source.kind !== "immediate"
  ) return candidates;
  if (source.size !== undefined) {
    return candidates.filter((candidate) =>
      source.size !== 8 || candidate.form.kinds[1] === "imm64"
    );
  }
  const short = forms.find(({ kinds }) => kinds[0] === "r32_opcode" && kinds[1] === "imm32")!;
  const register = generalRegister("r32", target.register.number);
  return [
    {
      form: short,
      operands: [{ ...target, register }, source],
      places: [0, 1],
      only: "unsigned number",
    },
    // An address may end up anywhere in 64 bits, so its move has one length.
    ...candidates.map((candidate): Candidate =>
      candidate.form.kinds[1] === "imm64" ? candidate : { ...candidate, only: "number" }
    ),
  ];
}

/** Can a form's immediate of this kind hold the value? Addresses get the full width, as in nasm. */
export function immediateFits(
  kind: string,
  { value, relocation }: Value,
  only: Candidate["only"],
): boolean {
  if (only !== undefined && relocation !== 0) return false;
  if (only === "unsigned number" && value < 0n) return false;
  const signed = (width: number, wrap: number): boolean => {
    const range = 1n << BigInt(wrap);
    if (value < -(range >> 1n) || value >= range) return false;
    const wrapped = BigInt.asIntN(wrap, value);
    return wrapped === BigInt.asIntN(width, wrapped);
  };
  const either = (width: number): boolean => {
    const range = 1n << BigInt(width);
    return value >= -(range >> 1n) && value < range;
  };
  switch (kind) {
    case "imm4_m2z":
      return value >= 0n && value < 16n;
    case "imm8_const_1":
      return value === 1n && relocation === 0;
    case "imm8":
      return either(8);
    case "imm8sex16":
      return relocation === 0 && signed(8, 16);
    case "imm8sex32":
      return relocation === 0 && signed(8, 32);
    case "imm8sex64":
      return relocation === 0 && signed(8, 64);
    case "imm16":
      return either(16);
    case "imm32":
      return either(32);
    case "imm32sex64":
      return signed(32, 64);
    case "imm64":
      return either(64);
  }
  return true;
}
