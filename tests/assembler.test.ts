import {
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { assemble, sourceLineAt } from "../src/x86/asm/assemble.ts";
import { disassemble } from "../src/x86/asm/disassemble.ts";
import { AssemblyError } from "../src/x86/asm/error.ts";
import { fuzzProgram } from "./assembler_corpus.ts";
import { asm, Assembly } from "../src/x86/asm/assembly.ts";
import type { Bits } from "../src/x86/asm/codec.ts";

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

const ORIGIN = 0x7c00;

/** Feature by feature: mode, source, bytes at 7C00h. The encodings are those of SDM volume 2. */
const ENCODINGS: Record<string, [Bits, string, string][]> = {
  "data": [
    [16, "db 1, 0x7f, -1, 255", "01 7f ff ff"],
    [16, `db "ab", 'c"d', 0`, "61 62 63 22 64 00"],
    [16, `db "é"`, "c3 a9"],
    [16, "dw 'a', \"abc\", 0x1234", "61 00 61 62 63 00 34 12"],
    [16, "dd 'abcd', -1", "61 62 63 64 ff ff ff ff"],
    [16, "dq 'abcdefgh', 0x1122334455667788", "61 62 63 64 65 66 67 68 88 77 66 55 44 33 22 11"],
    [16, "dd 1.5, -2.0", "00 00 c0 3f 00 00 00 c0"],
    [16, "dq 1.5", "00 00 00 00 00 00 f8 3f"],
    [16, "db 'A' + 1", "42"],
    [16, "resb 2\nresw 1\nresd 1", "00 00 00 00 00 00 00 00"],
    [64, "db 1\nresq 1", "01 00 00 00 00 00 00 00 00"],
    [16, "x: dw x, $, $$, x - $$\ny: dq y", "00 7c 00 7c 00 7c 00 00 08 7c 00 00 00 00 00 00"],
    [16, "message db 'hi'\nmov si, message", "68 69 be 00 7c"],
  ],
  "numbers and expressions": [
    [32, "dd 0x1f, 1fh, 0b101, 101b", "1f 00 00 00 1f 00 00 00 05 00 00 00 05 00 00 00"],
    [32, "db 0o17, 17q, 0d10, 1_0, 0b1111_0000", "0f 0f 0a 0a f0"],
    [32, "dw 0b1h", "b1 00"],
    [32, "db 1 + 2 * 3, (1 + 2) * 3, 7 / 2, 7 % 4, -7 // 2", "07 09 03 03 fd"],
    [32, "db 1 << 4 | 3, 0x5 ^ 3 & 1, ~0, -(-5), 0x80 >> 3", "13 04 ff 05 10"],
    [32, "dq -1 >> 4", "ff ff ff ff ff ff ff 0f"],
    [32, "n equ 3\ndb n, n * 2\nm: equ later\nlater equ 9\ndb m", "03 06 09"],
    [16, "mov ax, 'A'\nmov bx, 'AB'", "b8 41 00 bb 41 42"],
  ],
  "labels and branches": [
    [16, "a: jmp a\nb: jmp b", "eb fe eb fe"],
    [16, "a:\n.x: nop\nb:\n.x: jmp .x\njmp a.x", "90 eb fe eb fb"],
    [16, "jmp x\ntimes 127 nop\nx:", "eb 7f" + " 90".repeat(127)],
    [16, "jmp x\ntimes 128 nop\nx:", "e9 80 00" + " 90".repeat(128)],
    [32, "jz x\ntimes 128 nop\nx:", "0f 84 80 00 00 00" + " 90".repeat(128)],
    [16, "jmp near x\nx:", "e9 00 00"],
    [32, "jmp short x\nx: jmp word x\njmp near x", "eb 00 66 e9 fc ff e9 f7 ff ff ff"],
    [16, "jmp dword x\nx: call dword x", "66 e9 00 00 00 00 66 e8 fa ff ff ff"],
    [64, "call x\nx: jne x\njrcxz x\nloop x", "e8 00 00 00 00 75 fe e3 fc e2 fa"],
    [16, "x: jcxz x\njecxz x\nloop x, ecx\nloopz x", "e3 fe 67 e3 fb 67 e2 f8 e1 f6"],
    [16, "jmp 0x8:x\nx: call 0x10:x", "ea 05 7c 08 00 9a 05 7c 10 00"],
    [16, "jmp dword 0x8:x\nx:", "66 ea 08 7c 00 00 08 00"],
    [32, "jmp 0x8:x\nx: jmp word 0x8:x", "ea 07 7c 00 00 08 00 66 ea 07 7c 08 00"],
    [16, "jmp far [bx]\njmp far dword [bx]\ncall far [0x10]", "ff 2f 66 ff 2f ff 1e 10 00"],
    [64, "jmp far dword [rax]\njmp far qword [rax]\njmp far word [rax]", "ff 28 48 ff 28 66 ff 28"],
    [16, "jmp [bx]\njmp dword [bx]\ncall ax", "ff 27 66 ff 27 ff d0"],
    [16, "xbegin x\nx:", "c7 f8 00 00"],
  ],
  "modes": [
    [
      16,
      "jmp 0x8:pm\nbits 32\npm: mov ax, 1\nbits 64\nmov rax, [rel pm]",
      "ea 05 7c 08 00 66 b8 01 00 48 8b 05 f5 ff ff ff",
    ],
    [16, "ret\nretf\niret\npusha\npushf\nleave", "c3 cb cf 60 9c c9"],
    [32, "ret\nretf\niret\npusha\npushf\nleave", "c3 cb cf 60 9c c9"],
    [64, "ret\nretf\niret\npushf\nleave", "c3 cb cf 9c c9"],
    [16, "iretd\nretfd\npushad\npushfd\no32 ret", "66 cf 66 cb 66 60 66 9c 66 c3"],
    [32, "iretw\nretw\npushaw\no16 retf 4", "66 cf 66 c3 66 60 66 ca 04 00"],
    [
      64,
      "iretq\nretfq\no64 retf\nsysret\no64 sysret\nsysexitq",
      "48 cf 48 cb 48 cb 0f 07 48 0f 07 48 0f 35",
    ],
    [16, "push 5\npush word 0x1234\npush dword 5\npush fs", "6a 05 68 34 12 66 6a 05 0f a0"],
    [32, "push 5\npush 0x1234\npush word 5\npush es", "6a 05 68 34 12 00 00 66 6a 05 06"],
    [64, "push 5\npush 0x1234\npush word 5\npush r9", "6a 05 68 34 12 00 00 66 6a 05 41 51"],
    [32, "inc eax\ndec cx", "40 66 49"],
    [64, "inc eax\ndec cx", "ff c0 66 ff c9"],
  ],
  "immediates": [
    [16, "mov al, -128\nmov al, 255\nadd ax, 0xffff\nadd ax, 128", "b0 80 b0 ff 83 c0 ff 05 80 00"],
    [
      32,
      "add eax, 0x80000000\nand ebx, ~7\ncmp word [0], -1",
      "05 00 00 00 80 83 e3 f8 66 83 3d 00 00 00 00 ff",
    ],
    [16, "add ax, x - $$\nx:", "83 c0 03"],
    [16, "add ax, x\nx:", "05 03 7c"],
    [64, "mov rax, 1\nmov rax, -1", "b8 01 00 00 00 48 c7 c0 ff ff ff ff"],
    [
      64,
      "mov r8, 0xffffffff\nmov rax, 0x100000000",
      "41 b8 ff ff ff ff 48 b8 00 00 00 00 01 00 00 00",
    ],
    [64, "mov rax, dword 1", "48 c7 c0 01 00 00 00"],
    [64, "mov rax, qword 1", "48 b8 01 00 00 00 00 00 00 00"],
    [64, "x: mov rax, x", "48 b8 00 7c 00 00 00 00 00 00"],
    [64, "x: mov eax, x\nmov rax, x - $$ + 5", "b8 00 7c 00 00 b8 05 00 00 00"],
    [32, "shl eax, 1\nshl eax, 2\nshl eax, cl\nimul eax, 5", "d1 e0 c1 e0 02 d3 e0 6b c0 05"],
  ],
  "addresses": [
    [16, "mov ax, [bx+si]\nmov ax, [bp]\nmov ax, [di+0x80]", "8b 00 8b 46 00 8b 85 80 00"],
    [16, "mov ax, [0x1234]\nmov bx, [0x1234]\nmov [0x10], al", "a1 34 12 8b 1e 34 12 a2 10 00"],
    [16, "mov eax, [ebx+ecx*4-4]\nmov ax, [eax]", "66 67 8b 44 8b fc 67 8b 00"],
    [
      32,
      "mov eax, [esp]\nmov eax, [ecx*4]\nmov eax, [eax*5]",
      "8b 04 24 8b 04 8d 00 00 00 00 8b 04 80",
    ],
    [32, "mov eax, [byte ebx + 0]\nmov eax, [dword ebx + 1]", "8b 43 00 8b 83 01 00 00 00"],
    [32, "mov eax, [bx]\nmov ax, [word 0x10]", "67 8b 07 66 67 a1 10 00"],
    [32, "mov eax, [es:ebx]\nmov eax, fs:[ebx]\nes mov al, [ebx]", "26 8b 03 64 8b 03 26 8a 03"],
    [32, "mov byte ptr [ebx], 1\nmov dword ptr ds:[ebx], 1", "c6 03 01 3e c7 03 01 00 00 00"],
    [64, "mov rax, [0x10]\nmov rax, [abs 0x10]", "48 8b 04 25 10 00 00 00 48 8b 04 25 10 00 00 00"],
    [64, "x: mov rax, [rel x]\nlea rdi, [rel x + 1]", "48 8b 05 f9 ff ff ff 48 8d 3d f3 ff ff ff"],
    [64, "x: mov byte [rel x], 5", "c6 05 f9 ff ff ff 05"],
    [64, "mov rax, [qword 0x1122334455667788]", "48 a1 88 77 66 55 44 33 22 11"],
    [64, "mov [qword 0xfee000b0], eax", "a3 b0 00 e0 fe 00 00 00 00"],
    [
      64,
      "mov eax, [dword 0xfee00000]\na32 mov eax, [0xfee00000]",
      "67 8b 04 25 00 00 e0 fe 67 8b 04 25 00 00 e0 fe",
    ],
    [
      64,
      "mov rax, [r13]\nmov rax, [r12]\nmov rax, [rax+rsp]",
      "49 8b 45 00 49 8b 04 24 48 8b 04 04",
    ],
    [64, "mov rax, [gs:0x28]\nmov eax, [ebx]", "65 48 8b 04 25 28 00 00 00 67 8b 03"],
    [32, "x: mov eax, [ebx + x]\nmov eax, [ebx + y - x]\ny:", "8b 83 00 7c 00 00 8b 43 09"],
  ],
  "prefixes and strings": [
    [16, "rep movsb\nrepe cmpsw\nrepnz scasb\nlock inc byte [bx]", "f3 a4 f3 a7 f2 ae f0 fe 07"],
    [16, "es lodsb\nrep fs movsb\na32 stosb\nmovsd", "26 ac 64 f3 a4 67 aa 66 a5"],
    [16, "rep movs byte [es:di], [fs:si]\nmovs word [edi], [esi]", "64 f3 a4 67 a5"],
    [
      16,
      "lods word [si]\nstos byte [es:di]\nins byte [di], dx\nouts dx, word [gs:si]",
      "ad aa 6c 65 6f",
    ],
    [32, "insb\ninsw\ninsd\noutsb\noutsw\noutsd", "6c 66 6d 6d 6e 66 6f 6f"],
    [64, "lodsq\nrep stosq\na32 movsb\nxlat\nfs xlatb", "48 ad f3 48 ab 67 a4 d7 64 d7"],
    [
      64,
      "vmrun\nvmrun eax\ninvlpga rax, ecx\nclzero rax",
      "0f 01 d8 67 0f 01 d8 0f 01 df 0f 01 fc",
    ],
  ],
  "layout": [
    [16, "nop\nalign 4\nnop\nalign 8, db 0\nnop", "90 90 90 90 90 00 00 00 90"],
    [16, "times 3 db 1, 2\ntimes 2 nop\ntimes 0 hlt", "01 02 01 02 01 02 90 90"],
    [16, "db 1\ntimes 4 - ($ - $$) db 0\ndb 2", "01 00 00 00 02"],
    [16, "times 2 dw $", "00 7c 02 7c"],
    [16, "times 2 jmp x\nx:", "eb 02 eb 00"],
    [16, "times n nop\nn equ 2", "90 90"],
  ],
  "names": [
    [16, "MOV AX, Bx ; comment\n  Mov Cl, DL", "89 d8 88 d1"],
    [16, "Label: nop\nlabel: jmp Label", "90 eb fd"],
    [16, "jc x\njnae x\njb x\nsetz al\ncmovpe ax, bx\nx:", "72 0a 72 08 72 06 0f 94 c0 0f 4a c3"],
    [64, "mov al, r8b\nmov spl, 1\nmov r9l, 1", "44 88 c0 40 b4 01 41 b1 01"],
    [32, "fxch\nfaddp\nfadd st1\nfstp st(2)\nfstsw ax", "d9 c9 de c1 d8 c1 dd da 9b df e0"],
    [32, "aam\naad 16\nsal eax, 1\nicebp", "d4 0a d5 10 d1 e0 f1"],
  ],
};

for (const [feature, cases] of Object.entries(ENCODINGS)) {
  Deno.test(`assemble: ${feature}`, () => {
    for (const [bits, source, expected] of cases) {
      assertEquals(hex(assemble(source, { bits, origin: ORIGIN }).bytes), expected, source);
    }
  });
}

Deno.test("assemble starts in 64-bit mode at address 0", () => {
  const { bytes, origin } = assemble("x: push rax\ndq x, $");
  assertEquals(origin, 0n);
  assertEquals(hex(bytes), "50 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00");
});

Deno.test("assemble takes symbols from outside as plain numbers", () => {
  const symbols = { PORT: 0x10, TABLE: 0xffff_ffff_8000_0000n };
  const { bytes, symbols: defined } = assemble("out PORT, al\nmov rax, TABLE", { symbols });
  assertEquals(hex(bytes), "e6 10 48 c7 c0 00 00 00 80");
  assertEquals(defined.size, 0);
});

Deno.test("assemble gives symbols and the lines that made bytes", () => {
  const source = "start:\n  nop\n.data: db 1, 2\nsize equ $ - start\nbits 32\n  mov eax, 1";
  const assembled = assemble(source, { bits: 16, origin: 0x100 });
  assertEquals(
    [...assembled.symbols],
    [["start", 0x100n], ["start.data", 0x101n], ["size", 3n]],
  );
  assertEquals([...assembled.lines], [
    { address: 0x100n, length: 1, bits: 16, line: 2, text: "nop", kind: "code" },
    { address: 0x101n, length: 2, bits: 16, line: 3, text: ".data: db 1, 2", kind: "data" },
    { address: 0x103n, length: 5, bits: 32, line: 6, text: "mov eax, 1", kind: "code" },
  ]);
  assertEquals(sourceLineAt(assembled, 0x102)?.line, 3);
  assertEquals(sourceLineAt(assembled, 0x107n)?.line, 6);
  assertEquals(sourceLineAt(assembled, 0x108), undefined);
  assertEquals(sourceLineAt(assembled, 0xff), undefined);
});

Deno.test("asm is assembled late, and once per mode, address and symbols", () => {
  const guest = asm`
    mov ax, x
    x: hlt
  `;
  assertInstanceOf(guest, Assembly);
  assertEquals(hex(guest.assemble({ bits: 16, origin: 0x100 }).bytes), "b8 03 01 f4");
  assertEquals(hex(guest.assemble({ bits: 32, origin: 0x100 }).bytes), "66 b8 04 01 f4");
  const options = { bits: 16, origin: 0x200, symbols: { y: 1 } } as const;
  assertStrictEquals(guest.assemble(options), guest.assemble({ ...options, origin: 0x200n }));
  assertEquals(
    guest.assemble({ ...options, symbols: { y: 2 } }) === guest.assemble(options),
    false,
  );
  assertEquals(asm`frob`.source, "frob");
});

Deno.test("an assembly takes what was assembled elsewhere, for the same options", () => {
  const guest = asm`no instruction at all`;
  const elsewhere = assemble("hlt", { bits: 16, origin: 0x8000 });
  guest.provide({ bits: 16, origin: 0x8000n, symbols: { a: 1, b: 2 } }, elsewhere);
  const options = { bits: 16, origin: 0x8000 } as const;
  assertEquals(guest.assemble({ ...options, symbols: { b: 2n, a: 1n } }), elsewhere);
  for (const other of [options, { ...options, symbols: { a: 1, b: 3 } }]) {
    assertThrows(() => guest.assemble(other), AssemblyError);
  }
});

Deno.test("asm splices numbers, text and other assemblies, and takes backslashes as they are", () => {
  const part = asm`out dx, al`;
  const guest = asm`mov dx, ${0x3f8} ; a \d b
    ${part}
    add ax, 5 - ${-1}
    mov bx, ${0x1234n}
    ${"hlt"}`;
  assertEquals(
    hex(guest.assemble({ bits: 16 }).bytes),
    "ba f8 03 ee 83 c0 06 bb 34 12 f4",
  );
  assertThrows(() => asm`mov rax, ${2 ** 60}`, RangeError, "interpolate a bigint");
  assertThrows(() => asm`mov rax, ${1.5}`, RangeError);
});

Deno.test("a branch that reaches only while it is long stays long", () => {
  // Short, it makes the padding 4 bytes and its target too far; near, 2 bytes and 126 away.
  const source = "jmp x\nc: times 124 nop\ntimes (4 - (c - $$)) * 2 nop\nx:";
  assertEquals(hex(assemble(source, { bits: 16 }).bytes), "e9 7e 00" + " 90".repeat(126));
});

Deno.test("branches of fuzzed programs reach their labels, and padding its boundary", () => {
  const seed = Number(Deno.env.get("TRAPLINE_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  let branches = 0;
  for (let program = 0; program < 60; program++) {
    const bits = ([16, 32, 64] as const)[program % 3];
    const source = fuzzProgram(bits, seed + program, true);
    const context = `TRAPLINE_SEED=${seed + program}\n${source}`;
    const { bytes, lines, symbols } = assemble(source, { bits, origin: 0x1000 });
    for (const { address, length, text } of lines) {
      const boundary = /^align (\d+)/.exec(text);
      if (boundary) assertEquals((address + BigInt(length)) % BigInt(boundary[1]), 0n, context);
      const branch = /^(?:jmp|j\w+|call) (\w+)$/.exec(text);
      if (!branch) continue;
      branches++;
      const start = Number(address) - 0x1000;
      const part = bytes.subarray(start, start + length);
      const [{ text: decoded }] = disassemble(part, { bits, origin: address, symbols });
      const reached = symbols.get(decoded.split(" ").at(-1)!);
      assertEquals(reached, symbols.get(branch[1]), `${text}: ${decoded}\n${context}`);
    }
  }
  assertGreater(branches, 300);
});

Deno.test("importing needs no permission, assembling says which one is missing", async () => {
  const program = `
    import { assemble } from ${
    JSON.stringify(new URL("../src/x86/asm/assemble.ts", import.meta.url).href)
  };
    console.log("imported");
    try { assemble("nop"); } catch (error) { console.log(error.name + ": " + error.message); }
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-prompt", program],
    stderr: "inherit",
  }).output();
  const withPermission = new TextDecoder().decode(stdout);
  // "deno eval" has every permission: it shows that the program itself is in order.
  assertEquals(withPermission.trim(), "imported");
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/program.ts`, program);
    const denied = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-lock", `${directory}/program.ts`],
      stderr: "inherit",
    }).output();
    const text = new TextDecoder().decode(denied.stdout);
    assertStringIncludes(text, "imported\nAssemblerUnavailableError: ");
    assertStringIncludes(text, "--allow-read");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
