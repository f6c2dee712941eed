import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import { assemble } from "../src/x86/asm/assemble.ts";
import type { Bits } from "../src/x86/asm/codec.ts";
import { AssemblyError } from "../src/x86/asm/error.ts";

/** Mode, source, "line:column" of the culprit, and a part of the reason. */
const ERRORS: Record<string, [Bits, string, string, string][]> = {
  "symbols": [
    [16, "nop\n  mov ax, foo", "2:11", `undefined symbol "foo"`],
    [16, "jmp Label\nlabel:", "1:5", `undefined symbol "Label"`],
    [16, "a: nop\na: nop", "2:1", "a is already defined in line 1"],
    [16, "a equ 1\na: nop", "2:1", "already defined"],
    [16, "a:\n.x: nop\n.x: nop", "3:1", "a.x is already defined in line 2"],
    [16, "given: nop", "1:1", "given is already defined as a symbol option"],
    [16, ".x: nop", "1:1", "no global label before it"],
    [16, "x equ y\ny equ x", "1:7", "x depends on itself"],
    [16, "x equ x + 1", "1:9", "x depends on itself"],
    [16, "mov axx, 1", "1:5", `"axx" is no register`],
  ],
  "ranges": [
    [16, "mov al, 0x100", "1:9", "256 is out of range"],
    [16, "mov al, -129", "1:9", "-129 is out of range"],
    [16, "mov ax, 0x10000", "1:9", "out of range"],
    [32, "mov eax, 0x100000000", "1:10", "out of range"],
    [64, "mov rax, 1 << 64", "1:12", "out of range"],
    [64, "add rax, 0x80000000", "1:10", "out of range"],
    [64, "mov qword [rax], 0xffffffff", "1:18", "out of range"],
    [64, "push 0x80000000", "1:6", "out of range"],
    [16, "in al, 0x100", "1:8", "256 is out of range"],
    [16, "out 0x3f8, al", "1:5", "1016 is out of range"],
    [16, "int 256", "1:5", "out of range"],
    [16, "ret 0x10000", "1:5", "out of range"],
    [16, "enter 0x10000, 0", "1:7", "out of range"],
    [16, "add ax, byte 0x80", "1:14", "out of range"],
    [16, "jmp short x\ntimes 128 nop\nx:", "1:11", "out of reach"],
    [16, "x: times 127 nop\nloop x", "2:6", "out of reach"],
    [16, "jmp 0x18000", "1:5", "out of reach"],
    [32, "jmp 0x180000000", "1:5", "out of reach"],
    [64, "jmp 0x180000000", "1:5", "out of reach"],
    [16, "mov ax, [bx + 0x10000]", "1:15", "displacement 65536 is out of range"],
    [32, "mov eax, [byte ebx + 128]", "1:22", "displacement 128 is out of range"],
    [64, "mov eax, [0xfee00000]", "1:10", "does not fit a sign-extended 32-bit displacement"],
    [16, "jmp 0x10000:0", "1:5", "selector 65536 is out of range"],
    [16, "jmp 8:0x10000", "1:7", "offset 65536 is out of range"],
    [16, "db 1, 256", "1:7", "256 does not fit 8 bits"],
    [16, "dw -32769", "1:4", "does not fit 16 bits"],
    [16, "dd 1 << 32", "1:6", "does not fit 32 bits"],
    [16, "dq 1 << 64", "1:6", "does not fit 64 bits"],
  ],
  "operands": [
    [16, "mov [bx], 1", "1:5", "size of the memory operand is not stated"],
    [16, "inc [di]", "1:5", "size of the memory operand is not stated"],
    [16, "push [bx]", "1:6", "size of the memory operand is not stated"],
    [16, "movzx eax, [bx]", "1:12", "size of the memory operand is not stated"],
    [64, "jmp far [rax]", "1:5", "size of the memory operand is not stated"],
    [16, "mov ax, bl", "1:9", "kind or size"],
    [16, "mov al, word [bx]", "1:9", "kind or size"],
    [16, "mov es, 5", "1:9", "kind or size"],
    [16, "mov ax", "1:5", "mov takes 2 operands, not 1"],
    [16, "hlt ax", "1:5", "hlt takes 0 operands, not 1"],
    [16, "mov ax, bx cx", "1:12", `unexpected "cx"`],
    [16, "mov ax,, bx", "1:8", `expected a value but found ","`],
    [16, "mov ax, bx,", "1:12", "expected a value but found the end of the line"],
    [16, "mov ax, bx + 1", "1:12", `unexpected "+"`],
    [16, "mov ax, 1 + bx", "1:13", "register bx cannot be part of an expression"],
    [16, "mov word ax, 1", "1:5", "a size word in front of a register"],
    [16, "jmp far 5", "1:5", "selector:offset"],
    [16, "mov ax, strict 5", "1:9", `"strict" is not supported`],
    [16, "movsb [di], [si]", "1:7", "movsb takes 0 operands"],
    [16, "movs [di], [si]", "1:6", "the size of movs is not stated"],
    [16, "movs byte [es:di], [es:bx]", "1:20", "expected [si]"],
    [16, "movs byte [ds:di], [si]", "1:6", "the segment of the destination is always ES"],
    [64, "mov ah, r8b", "1:1", "REX prefix"],
  ],
  "addresses": [
    [16, "mov eax, [ax + bx]", "1:10", "is no 16-bit address"],
    [16, "mov ax, [si * 2]", "1:9", "is no 16-bit address"],
    [32, "mov eax, [eax + bx]", "1:17", "differ in size"],
    [32, "mov eax, [esp * 2]", "1:11", "esp cannot be an index"],
    [32, "mov eax, [eax * 6]", "1:11", "cannot be scaled by 6"],
    [32, "mov eax, [eax + ebx + ecx]", "1:10", "at most two registers"],
    [32, "mov eax, [eax - ebx]", "1:17", "cannot be subtracted"],
    [32, "mov eax, [al]", "1:11", "al cannot be part of an address"],
    [32, "mov eax, [rel x]", "1:10", "64-bit mode only"],
    [64, "mov eax, [rel rax]", "1:15", "takes no registers"],
    [64, "mov eax, [bx]", "1:10", "no 16-bit addresses in 64-bit mode"],
    [16, "mov ax, [bx", "1:12", `expected "]"`],
    [16, "es mov ax, [ds:bx]", "1:1", "a segment override has no meaning"],
  ],
  "modes": [
    [64, "push eax", "1:1", "does not exist in 64-bit mode"],
    [64, "push es", "1:1", "does not exist in 64-bit mode"],
    [64, "into", "1:1", "does not exist in 64-bit mode"],
    [64, "jmp 8:0", "1:1", "does not exist in 64-bit mode"],
    [64, "mov cr0, eax", "1:1", "does not exist in 64-bit mode"],
    [32, "mov rax, 1", "1:5", "register rax exists in 64-bit mode only"],
    [32, "mov al, [r8d]", "1:10", "register r8d exists in 64-bit mode only"],
    [32, "swapgs", "1:1", "does not exist in 32-bit mode"],
    [16, "nop\nbits 64\npusha", "3:1", "does not exist in 64-bit mode"],
    [64, "a16 lodsb", "1:1", "a16 does not exist in 64-bit mode"],
    [16, "o64 ret", "1:1", "o64 does not exist in 16-bit mode"],
  ],
  "prefixes": [
    [16, "lock mov ax, bx", "1:1", "lock has no meaning"],
    [16, "lock add ax, [bx]", "1:1", "lock has no meaning"],
    [16, "rep nop", "1:1", "rep has no meaning"],
    [16, "es rep rep movsb", "1:8", "a second prefix"],
    [16, "es nop", "1:1", "a segment override has no meaning"],
    [16, "cs stosb", "1:1", "a segment override has no meaning"],
    [16, "a32 nop", "1:1", "a32 has no meaning"],
    [16, "o32 mov al, 1", "1:5", "has no 32-bit operand size"],
    [16, "lock", "1:5", "a prefix needs an instruction"],
  ],
  "statements": [
    [16, "frob ax", "1:1", `unknown instruction or directive "frob"`],
    [16, "x: 5", "1:4", `expected an instruction but found "5"`],
    [16, "org 0x7c00", "1:1", `the load address is the "origin" option`],
    [16, "bits 17", "1:6", "bits 16, bits 32 or bits 64"],
    [16, "times -1 nop", "1:7", "count is -1"],
    [16, "times 600 nop\ntimes 510 - ($ - $$) db 0", "2:11", "count is -90"],
    [16, "times 2", "1:8", "times needs an instruction"],
    [16, "times 2 times 2 nop", "1:1", "times cannot repeat times"],
    [16, "resb 0x10000000", "1:6", "too large"],
    [16, "align 3", "1:7", "alignment 3 is no power of two"],
    [16, "equ 5", "1:1", "equ needs a name"],
    [16, "db", "1:3", "expected a value"],
    [16, "db 'abc", "1:4", "string is not closed"],
    [16, "mov ax, 'too long!'", "1:9", "1 to 8 bytes"],
    [16, "dw 1.5", "1:4", "floating-point data needs dd or dq"],
    [16, "mov ax, 12ab", "1:9", `"12ab" is not a number`],
    [16, "mov ax, 1 / 0", "1:11", "division by zero"],
    [16, "mov ax, -7 / 2", "1:12", `use "//" on negative numbers`],
    [16, "mov ax, 1 << 65", "1:11", "cannot shift by 65"],
    [16, "mov ax, (1 + 2", "1:15", `expected ")"`],
    [16, "mov ax, `a`", "1:9", "unexpected character"],
    [32, "nop\nx: times y nop\ny equ 4 - ($ - x)", "2:4", "without end"],
  ],
};

for (const [subject, cases] of Object.entries(ERRORS)) {
  Deno.test(`assembly errors: ${subject}`, () => {
    for (const [bits, source, position, reason] of cases) {
      let found: unknown;
      try {
        assemble(source, { bits, symbols: { given: 1 } });
      } catch (error) {
        found = error;
      }
      assertInstanceOf(found, AssemblyError, `no AssemblyError for: ${source} (${found})`);
      assertEquals(`${found.line}:${found.column}`, position, `${source}\n${found.message}`);
      assertStringIncludes(found.message, reason, source);
    }
  });
}

Deno.test("an assembly error shows the source line with a caret under the culprit", () => {
  const error = assertThrows(() => assemble("nop\n\tmov al, 300 ; big"), AssemblyError);
  assertEquals(
    error.message,
    "line 2, column 10: 300 is out of range for this operand\n" +
      "  \tmov al, 300 ; big\n" +
      "  \t        ^",
  );
  assertEquals(error.name, "AssemblyError");
});

Deno.test("of several errors the first in the source is reported", () => {
  const error = assertThrows(() => assemble("mov al, 300\nmov bl, 400"), AssemblyError);
  assertEquals(error.line, 1);
});
