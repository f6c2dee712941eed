/** Guests that try an instruction many times and lay down what each try left. */

import { asm, type CaseDefinition } from "../../mod.ts";
import type { Way } from "../_ways.ts";
import { ALL } from "./_model.ts";

/** One try. */
export interface Check {
  /** The instruction; its destination is (a part of) RDX. */
  readonly instruction: string;
  /** RDX before. */
  readonly rdx: bigint;
  /** RCX before, 0 unless given. */
  readonly rcx?: bigint;
  /** RAX before, 0 unless given. */
  readonly rax?: bigint;
  /** The arithmetic flags before. */
  readonly flags: bigint;
  /** RDX behind it. */
  readonly left: bigint;
  /** RAX behind it; as before unless given. */
  readonly leftRax?: bigint;
  /** RCX behind it; as before unless given. */
  readonly leftRcx?: bigint;
  /** The arithmetic flags behind it. */
  readonly leftFlags: bigint;
  /** Those of them that are promised; all, unless given. */
  readonly promised?: bigint;
}

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** Guest and trace of a case that makes these checks, in long mode. */
export function checkAll(
  checks: readonly Check[],
  { prefix }: Way,
): Pick<CaseDefinition, "guest" | "trace" | "mode" | "registers"> {
  const code = checks.map(({ instruction, rdx, rcx = 0n, rax = 0n, flags, promised = ALL }) => `
    mov rdx, ${rdx}
    mov rcx, ${rcx}
    push ${flags | 2n}
    popfq
    mov rax, ${rax}
    ${prefix}
    ${instruction}
    pushfq
    mov [rdi], rdx
    mov [rdi + 8], rcx
    mov [rdi + 16], rax
    pop rax
    and eax, ${promised}
    mov [rdi + 24], rax
    add rdi, 32
  `);
  const expected = checks.flatMap((check) => {
    const { left, rcx = 0n, leftRcx = rcx, rax = 0n, leftRax = rax } = check;
    return [left, leftRcx, leftRax, check.leftFlags & (check.promised ?? ALL)];
  });
  return {
    mode: "long",
    registers: { rdi: 0xa000n },
    guest: asm`
      ${code.join("\n")}
      xor eax, eax
      xor ecx, ecx
      xor edx, edx
      mov edi, 0xa000
      mov qword [0x7ff8], 0
      hlt
    `,
    trace: `
      hlt
      = rdi 0xa000
      = rflags 0x46
      = mem 0xa000 u64 [${expected.map(hex).join(" ")}]
    `,
  };
}

/** The part of a register that an instruction of this size names. */
export function register(
  letter: "a" | "c" | "d",
  size: 8 | 16 | 32 | 64,
): string {
  return { 8: `${letter}l`, 16: `${letter}x`, 32: `e${letter}x`, 64: `r${letter}x` }[size];
}

/** A register behind a write of this size: 32 bits clear the upper half, 8 and 16 leave the rest. */
export function merged(before: bigint, result: bigint, size: 8 | 16 | 32 | 64): bigint {
  if (size >= 32) return result;
  return before >> BigInt(size) << BigInt(size) | result;
}

/** The same value with other bits above its size. */
export function widened(value: bigint, size: 8 | 16 | 32 | 64): bigint {
  return merged(0x8f5e3c1a7b6d4029n, value, size === 32 ? 32 : size) |
    (size === 32 ? 0x8f5e3c1a00000000n : 0n);
}

/** The sizes of an operand. */
export const sizes = [8, 16, 32, 64] as const;

/** Operands at the edges of a size, in pairs. */
export function pairs(size: 8 | 16 | 32 | 64): [bigint, bigint][] {
  const top = 1n << BigInt(size - 1);
  const all = (1n << BigInt(size)) - 1n;
  return [
    [0n, 0n],
    [top - 1n, 1n],
    [top, top],
    [all, 1n],
    [0x0fn, 0x01n],
    [0x1020304050607080n & all | 0x5n, 0x89abcdef01234567n & all],
  ];
}
