import { type Bits, formsOf } from "./codec.ts";
import { SourceFault } from "./error.ts";
import type { Operand } from "./operand.ts";
import { type Register, registers } from "./registers.ts";

const STRING_SUFFIXES: Record<number, string> = { 1: "b", 2: "w", 4: "d", 8: "q" };

/** String instructions that may be written with their memory operands. */
export const STRING_MNEMONICS: ReadonlySet<string> = new Set([
  "movs",
  "cmps",
  "stos",
  "lods",
  "scas",
  "ins",
  "outs",
]);

/** Instructions whose register operands are implied but may be written out; the first is sized. */
const IMPLIED_OPERANDS: Readonly<Record<string, readonly string[]>> = {
  vmrun: ["ax"],
  vmload: ["ax"],
  vmsave: ["ax"],
  invlpga: ["ax", "ecx"],
  invlpgb: ["ax", "ecx", "edx"],
  skinit: ["eax"],
  clzero: ["ax"],
  monitor: ["ax", "ecx", "edx"],
  monitorx: ["ax", "ecx", "edx"],
  mwait: ["eax", "ecx"],
  mwaitx: ["eax", "ecx", "ebx"],
};

/** Makes `movs byte [es:di], [fs:si]` the MOVSB that it means. */
export function stringOperands(
  name: string,
  operands: Operand[],
  column: number,
): { suffix: string; addressSize: Bits; segment?: Register } {
  let size: number | undefined;
  let addressSize: Bits | undefined;
  let segment: Register | undefined;
  // For each operand: the register that holds its address, or the class of accumulator or port.
  const expected: Record<string, string[]> = {
    movs: ["di", "si"],
    cmps: ["si", "di"],
    stos: ["di", "a"],
    lods: ["a", "si"],
    scas: ["a", "di"],
    ins: ["di", "dx"],
    outs: ["dx", "si"],
  };
  const wanted = expected[name];
  const memories = wanted.filter((role) => /i$/.test(role)).length;
  const roles = operands.length === memories ? wanted.filter((role) => /i$/.test(role)) : wanted;
  if (operands.length !== roles.length || operands.length === 0) {
    throw new SourceFault(
      `${name} needs a size suffix (${name}b, ${name}w, ...) or its memory operands`,
      column,
    );
  }
  const agree = (bytes: number | undefined, at: number): void => {
    if (bytes === undefined) return;
    if (size !== undefined && size !== bytes) throw new SourceFault("operand sizes differ", at);
    size = bytes;
  };
  operands.forEach((operand, index) => {
    const role = roles[index];
    const at = operand.column;
    if (operand.kind === "register") {
      if (role === "dx" && operand.register.name === "dx") return;
      const general = /^r(8|16|32|64)$/.exec(operand.register.class);
      if (role === "a" && general && /^[er]?a[lx]$/.test(operand.register.name)) {
        return agree(Number(general[1]) / 8, at);
      }
    } else if (operand.kind === "memory" && /i$/.test(role)) {
      const { address } = operand;
      const plain = address.index === undefined && address.displacement === undefined;
      if (plain && address.base?.name.replace(/^[er]/, "") === role) {
        if (addressSize !== undefined && addressSize !== address.size) {
          throw new SourceFault("address sizes differ", at);
        }
        addressSize = address.size;
        if (role === "si") segment = address.segment;
        else if (address.segment !== undefined && address.segment.name !== "es") {
          throw new SourceFault("the segment of the destination is always ES", at);
        }
        return agree(operand.size, at);
      }
    }
    throw new SourceFault(
      role === "dx" || role === "a"
        ? `expected ${role === "a" ? "the accumulator" : "dx"} here`
        : `expected [${role}], [e${role}] or [r${role}] here`,
      at,
    );
  });
  const suffix = size === undefined ? undefined : STRING_SUFFIXES[size];
  if (suffix === undefined) {
    throw new SourceFault(`the size of ${name} is not stated`, operands[0].column);
  }
  return { suffix, addressSize: addressSize!, segment };
}

/** Adds operands that may be left out and removes those that are implied. */
export function completeOperands(
  request: { name: string; bits: Bits; addressSize?: Bits },
  operands: Operand[],
): Operand[] {
  const { name } = request;
  const [first, second] = operands;
  if (Object.hasOwn(IMPLIED_OPERANDS, name) && operands.length > 0) {
    return withoutImplied(request, operands);
  }
  if (/^(loop|loope|loopne)$/.test(name) && second?.kind === "register") {
    const size = /^(r?|e)cx$/.exec(second.register.name);
    if (!size) throw new SourceFault("expected cx, ecx or rcx", second.column);
    request.addressSize = Number(second.register.class.slice(1)) as Bits;
    return [first];
  }
  if (name === "imul" && operands.length === 2 && second.kind === "immediate") {
    return [first, first, second];
  }
  // nasm's and the manuals' MOVSX of a doubleword is what the encoding tables call MOVSXD.
  if (
    name === "movsx" && (second?.kind === "memory" && second.size === 4 ||
      second?.kind === "register" && second.register.class === "r32")
  ) request.name = "movsxd";
  if (/^aa[md]$/.test(name) && operands.length === 0) {
    return [{
      kind: "immediate",
      expression: { kind: "number", value: 10n, column: 0 },
      column: 0,
    }];
  }
  return name.startsWith("f") ? completeFloat(name, operands) : operands;
}

function withoutImplied(
  request: { name: string; bits: Bits; addressSize?: Bits },
  operands: Operand[],
): Operand[] {
  const implied = IMPLIED_OPERANDS[request.name];
  operands.forEach((operand, index) => {
    const expected = implied[index];
    const name = operand.kind === "register" ? operand.register.name : "";
    // "ax" stands for the register that holds an address: ax, eax or rax.
    if (
      expected === undefined || (expected === "ax" ? !/^[er]?ax$/.test(name) : name !== expected)
    ) {
      throw new SourceFault(
        `${request.name} works on ${implied.join(", ").replace("ax", "ax/eax/rax")}`,
        operand.column,
      );
    }
    if (expected === "ax" && operand.kind === "register") {
      request.addressSize = Number(operand.register.class.slice(1)) as Bits;
    }
  });
  return [];
}

/** x87 instructions name ST(0), and ST(1) for those that pop, only if the programmer likes. */
function completeFloat(name: string, operands: Operand[]): Operand[] {
  const forms = formsOf(name);
  const stack = (number: number): Operand => ({
    kind: "register",
    register: registers.get(`st${number}`)!,
    column: 0,
  });
  const pops = forms.some(({ kinds }) => kinds.join() === "sti_opcode,st0") &&
    !forms.some(({ kinds }) => kinds.join() === "st0,sti_opcode");
  const top = forms.some(({ kinds }) => kinds.join() === "st0,sti_opcode");
  if (operands.length === 1 && operands[0].kind === "register") {
    if (pops) return [operands[0], stack(0)];
    if (top) return [stack(0), operands[0]];
  }
  if (operands.length === 0 && !forms.some(({ kinds }) => kinds.length === 0)) {
    if (pops) return [stack(1), stack(0)];
    if (top && /^f(xch|u?comi?p?)$/.test(name)) return [stack(0), stack(1)];
  }
  return operands;
}
