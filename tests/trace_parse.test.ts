import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parse, parseRecorded } from "../src/trace/parse.ts";
import { TraceError } from "../src/trace/tokens.ts";

const NUMBER = "a number (0x, lower case, no padding)";
const EVENT = "an event (pio, mmio, hlt, ...), `>`, `=` or a vCPU `N:`";

/** Text, the column and the token at fault, and what was expected there. */
const errors: readonly [string, number, string, string][] = [
  ["halt", 1, "halt", EVENT],
  ["HLT", 1, "HLT", EVENT],
  ["=rax 0x1", 1, "=rax", EVENT],
  ["1:hlt", 1, "1:hlt", EVENT],
  ["01: hlt", 1, "01:", EVENT],
  ["1:", 3, "", EVENT],
  ["1: 2: hlt", 4, "2:", EVENT],
  ["[hlt", 1, "[", EVENT],
  ["* ", 1, "*", EVENT],
  ["hlt 0x1", 5, "0x1", "the end of the line"],
  ["hlt -> 0x1", 5, "->", "the end of the line"],
  ["hlt ]", 5, "]", "the end of the line"],
  ["hlt]", 4, "]", "the end of the line"],
  ["pio", 4, "", "in or out"],
  ["pio read 0x1", 5, "read", "in or out"],
  ["mmio out 0x1", 6, "out", "read or write"],
  ["pio out", 8, "", NUMBER],
  ["pio out 1016 u8 0x41", 9, "1016", NUMBER],
  ["pio out 3f8 u8 0x41", 9, "3f8", NUMBER],
  ["pio out 0x3F8 u8 0x41", 9, "0x3F8", NUMBER],
  ["pio out 0X3f8 u8 0x41", 9, "0X3f8", NUMBER],
  ["pio out 0x03f8 u8 0x41", 9, "0x03f8", NUMBER],
  ["pio out 0x u8 0x41", 9, "0x", NUMBER],
  ["pio out -0x1 u8 0x41", 9, "-0x1", NUMBER],
  ["pio out 0x10000 u8 0x41", 9, "0x10000", "at most 0xffff (u16)"],
  ["pio out [0x3f8] u8 0x41", 9, "[", NUMBER],
  ["pio out 0x3f8 8 0x41", 15, "8", "u8, u16 or u32"],
  ["pio out 0x3f8 u24 0x41", 15, "u24", "u8, u16 or u32"],
  ["pio out 0x3f8 u64 0x41", 15, "u64", "u8, u16 or u32"],
  ["mmio write 0x1 u128 0x41", 16, "u128", "u8, u16, u24, u32, u40, u48, u56 or u64"],
  ["pio out 0x3f8 u8", 17, "", NUMBER],
  ["pio out 0x3f8 u8 0x00", 18, "0x00", NUMBER],
  ["pio out 0x3f8 u8 0x100", 18, "0x100", "at most 0xff (u8)"],
  ["mmio write 0x1 u24 0x1000000", 20, "0x1000000", "at most 0xffffff (u24)"],
  [
    "mmio write 0x10000000000000000 u8 0x1",
    12,
    "0x10000000000000000",
    "at most 0xffffffffffffffff (u64)",
  ],
  ["pio out 0x3f8 u8 0x41 0x42", 23, "0x42", "the end of the line"],
  ["pio out 0x3f8 u8 -> 0x41", 18, "->", NUMBER],
  ["pio in 0x3f8 u8 0x41", 17, "0x41", "`->` and what the host answers"],
  ["pio in 0x3f8 u8", 16, "", "`->` and what the host answers"],
  ["pio in 0x3f8 u8 ->", 19, "", NUMBER],
  ["pio out 0x3f8 u8 []", 18, "[", "at least one number in the list"],
  ["pio out 0x3f8 u8 [0x1", 22, "", `${NUMBER} or \`]\``],
  ["pio out 0x3f8 u8 [0x1 [0x2]]", 23, "[", `${NUMBER} or \`]\``],
  ["pio out 0x3f8 u8 [0x1, 0x2]", 19, "0x1,", NUMBER],
  ["pio out 0x3f8 u8 [0x1 0x100]", 23, "0x100", "at most 0xff (u8)"],
  ["pio out 0x3f8 u8[0x1]", 17, "[", "a blank"],
  ["pio out 0x3f8 u8 [0x1]0x2", 23, "0x2", "a blank"],
  ["pio out 0x3f8 u8 0x1|", 18, "0x1|", "an alternative on each side of `|`"],
  ["pio out 0x3f8 u8 |0x1", 18, "|0x1", "an alternative on each side of `|`"],
  ["pio out 0x3f8 u8 0x1|*", 22, "*", NUMBER],
  ["pio out 0x3f8 u8 0x1|0x100", 22, "0x100", "at most 0xff (u8)"],
  ["pio out 0x3f8 * 0x1", 15, "*", "u8, u16 or u32"],
  ["debug rip=0x1", 7, "rip=0x1", "`exception=`"],
  ["debug exception=0x1 rip=0x1", 28, "", "`dr6=`"],
  ["debug exception=0x1 rip=zero dr6=0x0", 25, "zero", NUMBER],
  ["debug exception=0x1 rip= dr6=0x0", 25, "", NUMBER],
  ["debug exception=0x1 rip=0x1 dr6=0x0 dr7=", 41, "", NUMBER],
  ["debug exception=0x1 rip=0x1 dr6=0x0 cr0=0x1", 37, "cr0=0x1", "the end of the line"],
  ["rdmsr 0x100000000 -> 0x0", 7, "0x100000000", "at most 0xffffffff (u32)"],
  ["rdmsr 0x10 reason=denied -> 0x0", 19, "denied", "filter, unknown or inval"],
  ["rdmsr 0x10 reason=filter", 25, "", "`->` and what the host answers"],
  ["rdmsr 0x10 -> gp", 15, "gp", `error or ${NUMBER}`],
  ["rdmsr 0x10 -> [0x1]", 15, "[", `error or ${NUMBER}`],
  ["wrmsr 0x10", 11, "", NUMBER],
  ["wrmsr 0x10 0x1 -> 0x0", 19, "0x0", "error"],
  [
    "internal-error",
    15,
    "",
    `emulation, simul-ex, delivery-ev, unexpected-exit-reason or ${NUMBER}`,
  ],
  [
    "system-event reboot",
    14,
    "reboot",
    `shutdown, reset, crash, wakeup, suspend, sev-term or ${NUMBER}`,
  ],
  ["ioapic-eoi 0x100", 12, "0x100", "at most 0xff (u8)"],
  ["hypercall 0x1 []", 15, "[", "at least one number in the list"],
  ["hypercall 0x1 0x2", 15, "0x2", "the end of the line"],
  ["memory-fault gpa=0x1", 14, "gpa=0x1", "`flags=`"],
  ["hypercall 0x1 flags=0x1 [0x1]", 25, "[", "the end of the line"],
  ["ap-reset-hold 0x0", 15, "0x0", "the end of the line"],
  ["exception", 10, "", NUMBER],
  ["exception 0xe error=", 21, "", NUMBER],
  ["exception 0x100000000", 11, "0x100000000", "at most 0xffffffff (u32)"],
  ["xen-hypercall", 14, "", NUMBER],
  ["xen-hypercall 0x1 []", 19, "[", "at least one number in the list"],
  ["xen-hypercall 0x1 cpl=0x0 long=0x1", 27, "long=0x1", "the end of the line"],
  ["xen-hypercall 0x1 long=yes", 24, "yes", NUMBER],
  ["xen-hypercall 0x1 -> error", 22, "error", NUMBER],
  ["hyperv-synic control=0x1", 14, "control=0x1", NUMBER],
  ["hyperv-synic 0x40000080 siefp=0x1", 25, "siefp=0x1", "`control=`"],
  ["hyperv-synic 0x40000080 control=0x1 siefp=0x1", 46, "", "`simp=`"],
  [
    "hyperv-synic 0x1 control=0x1 siefp=0x1 simp=0x1 -> 0x0",
    49,
    "->",
    "the end of the line",
  ],
  ["hyperv-hypercall 0x5c 0xb000", 23, "0xb000", "the end of the line"],
  ["hyperv-hypercall 0x5c ->", 25, "", NUMBER],
  ["hyperv-debug 0x400000f1 control=0x1 send=0x1", 45, "", "`receive=`"],
  ["unknown 0x100000000", 9, "0x100000000", "at most 0xffffffff (u32)"],
  [">", 2, "", "a lower-case word"],
  ["> Slot", 3, "Slot", "a lower-case word"],
  ["> EINVAL", 3, "EINVAL", "a lower-case word"],
  ["> slot EINVAL", 8, "EINVAL", `${NUMBER}, a word or a list`],
  ["> slot 12", 8, "12", `${NUMBER}, a word or a list`],
  ["> slot gpa=", 12, "", `${NUMBER}, a word or a list`],
  ["> slot gpa= [0x1]", 12, "", `${NUMBER}, a word or a list`],
  ["> slot =0x1", 8, "=0x1", "a lower-case word"],
  ["> slot a=b=c", 10, "b=c", `${NUMBER}, a word or a list`],
  ["> slot ->", 10, "", `${NUMBER}, a word, an errno or a list`],
  ["> slot -> eEXIST", 11, "eEXIST", `${NUMBER}, a word, an errno or a list`],
  ["> slot -> EEXIST 0x1", 18, "0x1", "the end of the line"],
  ["> slot [0x1", 12, "", `${NUMBER}, a word or \`]\``],
  ["> slot 0x10000000000000000", 8, "0x10000000000000000", "at most 0xffffffffffffffff (u64)"],
  ["=", 2, "", "a register's name (rax, cs.base, msr.0x10)"],
  ["= RAX 0x1", 3, "RAX", "a register's name (rax, cs.base, msr.0x10)"],
  ["= 0x10 0x1", 3, "0x10", "a register's name (rax, cs.base, msr.0x10)"],
  ["= cs. 0x1", 3, "cs.", "a register's name (rax, cs.base, msr.0x10)"],
  ["= msr.0x010 0x1", 3, "msr.0x010", "a register's name (rax, cs.base, msr.0x10)"],
  ["= rax* 0x1", 3, "rax*", "a register's name (rax, cs.base, msr.0x10)"],
  ["= rax", 6, "", NUMBER],
  ["= rax word", 7, "word", NUMBER],
  ["= rax 0x1 0x2", 11, "0x2", "the end of the line"],
  ["= mem * u8 0x1", 7, "*", "one value: no pattern names a line of the final state"],
  ["= mem 0x1 0x1", 11, "0x1", "u8, u16, u24, u32, u40, u48, u56 or u64"],
  ["hlt |", 6, "", EVENT],
  ["| hlt", 1, "|", EVENT],
  ["hlt | 1: hlt", 7, "1:", EVENT],
  ["hlt | = rax 0x1", 7, "=", EVENT],
  ["= rax 0x1 | = rax 0x2", 11, "|", "the end of the line"],
  ["hlt |shutdown", 5, "|shutdown", "the end of the line"],
  ["  hlt 0x1 # why", 7, "0x1", "the end of the line"],
  ["\thlt\u00a0", 2, "hlt\u00a0", EVENT],
];

for (const [text, column, token, expected] of errors) {
  Deno.test(`\`${text}\` is refused at column ${column}`, () => {
    const error = assertThrows(() => parse(`nmi\n\n${text}\nhlt`), TraceError);
    assertEquals(
      { line: error.line, column: error.column, token: error.token, expected: error.expected },
      { line: 3, column, token, expected },
    );
  });
}

Deno.test("an error's message says where, what was expected and what was found", () => {
  const message = (text: string) => assertThrows(() => parse(text), TraceError).message;
  assertEquals(
    message("hlt\nioapic-eoi 0x100"),
    'trace line 2, column 12: expected at most 0xff (u8), found "0x100"',
  );
  assertEquals(
    message("wrmsr 0x10 0x1 ->"),
    "trace line 1, column 18: expected error, found nothing",
  );
});

Deno.test("the final state comes last, and each name once", () => {
  const misplaced = assertThrows(() => parse("= rax 0x1\nhlt"), TraceError);
  assertEquals([misplaced.line, misplaced.column, misplaced.token], [2, 1, "hlt"]);
  const twice = assertThrows(() => parse("hlt\n= rax 0x1\n= rax 0x2"), TraceError);
  assertEquals([twice.line, twice.column], [3, 1]);
  assertStringIncludes(twice.message, "rax is stated above");
  const memory = assertThrows(() => parse("= mem 0x8 u8 0x1\n= mem 0x8 u16 0x1"), TraceError);
  assertStringIncludes(memory.message, "mem 0x8 is stated above");
  assertEquals(parse("0: = rax 0x1\n1: = rax 0x2").length, 2);
});

Deno.test("a recorded trace holds no pattern", () => {
  const refused: readonly [string, number, string][] = [
    ["pio out * u8 0x1", 9, "*"],
    ["pio out 0x1 u8 [0x1 *]", 21, "*"],
    ["rdmsr 0x1 -> 0x1|0x2", 14, "0x1|0x2"],
    ["> slot gpa=*", 12, "*"],
    ["> slot -> EINVAL|EEXIST", 11, "EINVAL|EEXIST"],
    ["= rax *", 7, "*"],
    ["hlt | shutdown", 5, "|"],
  ];
  for (const [text, column, token] of refused) {
    assert(parse(text).length === 1);
    const error = assertThrows(() => parseRecorded(text), TraceError, "holds no pattern");
    assertEquals([error.line, error.column, error.token], [1, column, token]);
  }
});
