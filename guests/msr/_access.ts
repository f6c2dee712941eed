/** A guest that writes and reads one MSR, step by step, and tells each outcome. */

import type { CaseDefinition } from "../../mod.ts";
import { asm } from "../../mod.ts";

/** One WRMSR, and the RDMSR behind it. */
export interface Step {
  /** What is written; nothing when it is a read alone. */
  readonly write?: bigint;
  /** The WRMSR (the RDMSR, where nothing is written) raises #GP(0). */
  readonly fault?: true;
  /** What is read behind it: a value, or `"*"` for any. Nothing is read of an MSR that faults. */
  readonly reads?: bigint | "*";
}

/** Values that are written in turn and read back as they are. */
export function accepted(...values: readonly bigint[]): Step[] {
  return values.map((value) => ({ write: value, reads: value }));
}

/** Values that are refused, each of which leaves `kept`. */
export function refused(kept: bigint | "*", ...values: readonly bigint[]): Step[] {
  return values.map((value) => ({ write: value, fault: true, reads: kept }));
}

/** Low half of what was read, high half, and the error code of a fault. */
const [LOW, HIGH, FAULT] = [0x10, 0x11, 0x13];

const hex = (value: bigint) => `0x${value.toString(16)}`;

/**
 * Guest, handlers and trace of a case that takes an MSR through these steps, in long mode; `before`
 * is what the host does first, `state` what is left in the end.
 */
export function msrSteps(
  index: number,
  steps: readonly Step[],
  state = "",
  before = "",
): Pick<CaseDefinition, "guest" | "handlers" | "trace" | "mode"> {
  const code: string[] = [`mov ecx, ${index}`];
  const trace: string[] = [];
  steps.forEach(({ write, fault, reads }, number) => {
    code.push(`mov esi, behind_${number}`);
    if (write !== undefined) {
      code.push(`mov eax, ${write & 0xffffffffn}`, `mov edx, ${write >> 32n}`, "wrmsr");
    } else if (fault) {
      code.push("rdmsr");
    }
    code.push(`behind_${number}:`);
    if (fault) trace.push(`pio out 0x${FAULT.toString(16)} u32 0x0`);
    if (reads === undefined) return;
    code.push("rdmsr", `out ${LOW}, eax`, "mov eax, edx", `out ${HIGH}, eax`);
    const [low, high] = reads === "*" ? ["*", "*"] : [hex(reads & 0xffffffffn), hex(reads >> 32n)];
    trace.push(`pio out 0x10 u32 ${low}`, `pio out 0x11 u32 ${high}`);
  });
  const faults = steps.some(({ fault }) => fault);
  return {
    mode: "long",
    guest: asm`
      ${code.join("\n")}
      xor eax, eax
      xor ecx, ecx
      xor edx, edx
      xor esi, esi
      out 0xf4, al
      hlt
      fault:
      pop rax
      out ${FAULT}, eax
      mov esp, 0x8000
      jmp rsi
    `,
    handlers: { 13: "fault" },
    trace: `
      ${before}
      ${trace.join("\n")}
      pio out 0xf4 u8 0x0
      = rflags 0x46
      ${faults ? "= mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]" : ""}
      ${state}
    `,
  };
}
