/** A failed case for people: where the traces part, where the guest stood, what it was made of. */
import { diff, type DiffLine } from "../trace/diff.ts";
import { formatLine } from "../trace/format.ts";
import type { Assembled } from "../x86/asm/assemble.ts";
import { formatListing, listing } from "../x86/asm/listing.ts";
import type { Segment } from "../x86/registers.ts";
import type { Registers, SystemRegisters } from "../x86/state.ts";
import type { Case } from "../suite/case.ts";
import type { Autopsy, CaseResult } from "../suite/verdict.ts";
import type { Style } from "./style.ts";

const registerRows: readonly (readonly (keyof Registers)[])[] = [
  ["rax", "rbx", "rcx", "rdx"],
  ["rsi", "rdi", "rsp", "rbp"],
  ["r8", "r9", "r10", "r11"],
  ["r12", "r13", "r14", "r15"],
  ["rip", "rflags"],
];

/** A result as far as a report needs it: one that was read back may lack the guest. */
export type ReportedResult = Omit<CaseResult, "case"> & {
  readonly case: Pick<Case, "id" | "spec"> & Partial<Pick<Case, "mode">>;
};

/** Renders a failed case, without a newline at the end. */
export function formatFailure(result: ReportedResult, style: Style, file?: string): string {
  const { case: { id, spec, mode }, verdict, reason, autopsy, log } = result;
  const where = [mode === undefined ? [] : `${mode} mode`, file ?? []].flat().join(", ");
  const lines = [
    `${style.bad(verdict.toUpperCase())} ${style.strong(id)}  ${style.faint(where)}`.trimEnd(),
    ...(reason ?? "").split("\n"),
    `promised by ${spec.join("; ")}`,
    ...traceLines(result).map((line) => formatDiffLine(line, style)),
  ];
  if (autopsy !== undefined) lines.push(...autopsyLines(autopsy));
  if (log !== undefined && log !== "") lines.push(...logLines(log));
  return [lines[0], ...lines.slice(1).map((line) => `    ${line}`.trimEnd())].join("\n");
}

/** How many lines of a kernel's log are shown; a panic with its backtrace has about 60. */
const LOG_SHOWN = 80;

function logLines(log: string): string[] {
  const lines = log.split("\n");
  const left = lines.length > LOG_SHOWN ? ` (the first ${LOG_SHOWN} of ${lines.length} lines)` : "";
  return [`the kernel's log${left}:`, ...lines.slice(0, LOG_SHOWN).map((line) => `  ${line}`)];
}

function traceLines({ expected, trace, divergence }: ReportedResult): DiffLine[] {
  if (divergence !== undefined) return diff(expected, trace, divergence);
  return trace.map((event) => ({ mark: " ", text: formatLine(event) }));
}

function formatDiffLine({ mark, text, first }: DiffLine, style: Style): string {
  const line = `${mark} ${text}${first ? "   <- the first difference" : ""}`;
  if (mark === "-") return style.good(line);
  return mark === "+" ? style.bad(line) : line;
}

function autopsyLines({ assembled, bits, regs, sregs }: Autopsy): string[] {
  const linear = sregs.cs.base + regs.rip;
  const source = listing(assembled, isPastHlt(assembled, linear) ? linear - 1n : linear);
  const inside = source.some(({ current }) => current);
  return [
    `the guest at CS:RIP ${hex(sregs.cs.selector)}:${hex(regs.rip)}, ${bits}-bit code` +
    (inside ? "" : ", outside its program; nearest to it:"),
    ...formatListing(source).split("\n"),
    ...registerRows.map((names) => names.map((name) => field(name, hex(regs[name]))).join(" ")),
    ...segmentLines(sregs),
  ];
}

/** Whether a guest halted here: what it halted in is the instruction to show. */
function isPastHlt({ bytes, origin }: Assembled, linear: bigint): boolean {
  return bytes[Number(linear - origin) - 1] === 0xf4;
}

function segmentLines(sregs: SystemRegisters): string[] {
  const { cr0, cr2, cr3, cr4, efer, gdt, idt } = sregs;
  const segments = ["cs", "ss", "ds", "es", "fs", "gs", "tr"] as const;
  return [
    ...segments.map((name) => `${name.padStart(6)} ${formatSegment(sregs[name])}`),
    `  gdtr base=${hex(gdt.base)} limit=${hex(gdt.limit)}   ` +
    `idtr base=${hex(idt.base)} limit=${hex(idt.limit)}`,
    `   cr0=${hex(cr0)} cr2=${hex(cr2)} cr3=${hex(cr3)} cr4=${hex(cr4)} efer=${hex(efer)}`,
  ];
}

function formatSegment(segment: Segment): string {
  const { selector, base, limit, type, dpl, present, db, l, unusable } = segment;
  const where = `${hex(selector).padEnd(6)} base=${hex(base)} limit=${hex(limit)}`;
  if (unusable) return `${where} unusable`;
  return `${where} type=${hex(type)} dpl=${dpl} p=${present} db=${db} l=${l}`;
}

function field(name: string, value: string): string {
  return `${name.padStart(6)}=${value.padEnd(18)}`;
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
