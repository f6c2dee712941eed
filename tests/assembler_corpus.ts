import type { Bits } from "../src/x86/asm/codec.ts";

/** Lines of all kinds for a mode; what the mode does not have is there to be refused. */
export function corpus(bits: Bits): string[] {
  return [...COMMON, ...(bits === 64 ? LONG : bits === 32 ? PROTECTED : [...PROTECTED, ...REAL])]
    .flatMap((line) => line.trim() === "" ? [] : [line.trim()]);
}

const COMMON = `
  nop; hlt; cli; sti; cld; std; clc; stc; cmc; lahf; sahf; cbw; cwde; cwd; cdq; wait; pause
  pushf; popf; pushfw; popfw; ret; ret 8; retf; retf 4; leave; enter 16, 1; enter 0, 0; int3; int 3
  int 0x80; ud2; cpuid; rdtsc; rdtscp; rdpmc; rdmsr; wrmsr; wbinvd; invd; clts; rsm; xsetbv; xgetbv
  vmcall; vmlaunch; vmresume; vmxoff; vmmcall; vmrun; vmload; vmsave; stgi; clgi; monitor; mwait
  clac; stac; sysenter; sysexit; syscall; sysret; mfence; lfence; sfence; emms; fninit; fnclex
  mov ds, ax; mov es, eax; mov ax, ds; mov eax, fs; push fs; pop gs; push ax; pop cx
  mov al, 1; mov ah, 0xff; mov ax, 0xffff; mov ax, -1; mov eax, 0x12345678; mov ecx, -2
  add al, 5; add ax, 5; add eax, 5; add ax, 0x1234; add eax, 0x12345; add ax, 0xfff0; add cl, -1
  or ebx, 0x80; and ecx, 0xffffff80; sub edx, 127; cmp esi, -128; cmp edi, -129; xor eax, eax
  test al, 1; test ax, 1; test eax, 1; test ebx, 1; test bl, 1; xchg ax, bx; xchg ecx, eax
  shl eax, 1; shl eax, 4; shl eax, cl; sal bl, 1; rcr cx, 3; sar edx, 31; imul eax, 5
  imul ax, bx, 500; imul ecx, edx, -3; push 5; push -128; push 0x1234; push byte 5
  bt eax, 5; bts ax, bx; bsf eax, ebx; bsr ax, cx; bswap edx; cmovz eax, ebx; cmovnae cx, dx
  setc al; setnz bl; movzx eax, bl; movzx eax, bx; movsx ax, cl; xadd eax, ebx; cmpxchg bl, cl
  shld eax, ebx, 4; shrd ax, bx, cl; popcnt eax, ebx; crc32 eax, bl; in al, 0x10; in ax, dx
  in eax, 0xff; in eax, dx; out 0x10, al; out dx, ax; out dx, eax; out 0x80, eax
  insb; insw; insd; outsb; outsw; outsd; movsb; movsw; movsd; stosb; stosw; stosd; lodsb; lodsw
  lodsd; scasb; scasw; scasd; cmpsb; cmpsw; cmpsd; rep movsb; rep movsd; rep stosw; repe cmpsb
  repne scasb; rep insb; rep outsw; fs lodsb; a32 movsb; a32 rep stosb; xlatb; iretw; iretd
  ltr ax; lldt bx; str ax; str eax; sldt ax; smsw ax; smsw eax; lmsw ax; verr ax; verw cx; lar ax, bx
  lar eax, ebx; lsl ax, bx; lsl ecx, edx; call ax; jmp cx; fxch; fxch st3; faddp; fadd st0, st1
  fstp st1; fld1; fldz; fnstsw ax; fstsw ax; fcomi st0, st1; fucomip st0, st1; fsubp st2, st0
  movaps xmm0, xmm1; pxor xmm1, xmm2; pxor mm1, mm2; movd xmm0, eax; movd eax, xmm3
  pinsrw xmm0, eax, 3; pextrw eax, xmm0, 3; pshufd xmm1, xmm2, 0x1b; vaddps ymm0, ymm1, ymm2
  vpxor xmm0, xmm1, xmm2; andn eax, ebx, ecx; rdrand eax; rdseed ax; cvtsi2sd xmm0, eax
  cvttsd2si eax, xmm1; mov al, 0x100; mov ax, 0x10000; in al, 0x100; add ax, 0x12345
`.split(/[;\n]/);

const PROTECTED = `
  pusha; popa; pushaw; popad; pushfd; popfd; push es; push cs; push ss; push ds; pop es; pop ss
  pop ds; into; aaa; aas; aad; aam; aam 5; daa; das; salc; iret; inc ax; inc ecx; dec dx; dec ebx
  push eax; pop ecx; push word 5; push dword 5; push dword 0x12345678; push word 0x1234
  call eax; jmp ecx; call 0x8:0x10; jmp 0x8:0x1234; jmp dword 0x8:0x12345; jmp word 0x8:0x1234
  mov cr0, eax; mov eax, cr3; mov cr4, ebx; mov eax, dr7; mov dr0, ecx
  mov al, [0x1234]; mov [0x1234], ax; mov eax, [0x1234]; mov ebx, [0x1234]; mov byte [0x1234], 5
  mov ax, [bx]; mov [bx+si], al; mov ax, [bp]; mov ax, [bp+di-3]; mov ax, [di+0x1234]
  mov eax, [ebx]; mov eax, [ebx+ecx*4+8]; mov eax, [ebp]; mov eax, [esp]; mov eax, [esp+0x100]
  mov eax, [ebp+ecx*8]; mov eax, [ecx*4]; mov eax, [ecx*8-1]; mov eax, [eax*5]; mov eax, [eax+esp]
  mov eax, [byte ebx+1]; mov eax, [dword ebx+1]; mov eax, [word 0x1234]; mov eax, [dword 0x1234]
  mov ax, [es:di]; mov [cs:0x10], al; mov eax, [fs:ebx+4]; mov byte [gs:bx], 1
  lgdt [0x100]; lidt [bx]; sgdt [ebx]; sidt [bp+2]; lldt [bx]; ltr [bx]; str [bx]; lmsw [bx]
  smsw [ebx]; invlpg [ebx]; les ax, [bx]; lds eax, [ebx]; lss esp, [bx]; lfs ax, [bx]; lgs ebx, [eax]
  bound ax, [bx]; bound eax, [ebx]; arpl ax, bx; arpl [bx], ax; push word [bx]; push dword [bx]
  pop word [ebx]; jmp [bx]; jmp word [bx]; jmp dword [bx]; call [ebx]; jmp far [bx]
  jmp far dword [bx]; call far word [ebx]; inc byte [bx]; not dword [ebx]; shl word [bx], 1
  add byte [bx], 5; add word [bx], 5; add dword [ebx], 0x1000; cmpxchg8b [ebx]; xchg [bx], al
  lock cmpxchg [bx], eax; lock inc dword [bx]; lock xadd [ebx], al; lock xchg [ebx], eax
  vmread eax, ecx; vmwrite ecx, eax; vmptrld [ebx]; vmptrst [bx]; vmclear [bx]; vmxon [ebx]
  invept eax, [ebx]; invvpid ecx, [ebx]; invpcid eax, [ebx]; fld dword [bx]; fld qword [ebx]
  fld tword [bx]; fild word [bx]; fistp qword [bx]; fldcw [bx]; fnstcw [bx]; fstcw [bx]; fnsave [bx]
  fnstenv [bx]; frstor [ebx]; fxsave [ebx]; fxrstor [bx]; xsave [ebx]; clflush [bx]
  movups xmm0, [ebx]; movsd xmm0, [ebx]; movq xmm1, [bx]; movq [bx], xmm1; vmovups ymm0, [ebx]
  es lodsb; rep es movsb; a16 movsb; a16 stosd; movzx eax, byte [bx]; movsx eax, word [ebx]
  movbe eax, [ebx]; lea ax, [bx+4]; lea eax, [ebx+ecx]; lea eax, [bx]; mov ax, [bx+0xffff]
  retw; retfd; o16 iret; o32 iret; o32 ret; o32 retf; o16 retf; mov [bx], 1; inc [di]; push [bx]
  mov eax, [ax+bx]; mov [ebx+4], ds; mov fs, [bx]; bts dword [bx], 31; xlatb
`.split(/[;\n]/);

const REAL = `
  o32 lgdt [0x100]; jmp dword 0x8:0x100000; mov dword [0x10], 0x12345678; es mov al, [bx]
`.split(/[;\n]/);

const LONG = `
  mov rax, 1; mov rax, -1; mov rax, 0x80000000; mov rax, 0xffffffff; mov rax, 0x100000000
  mov rax, 0x1122334455667788; mov rax, 0xffffffffffffffff; mov rax, 0xffffffff80000000; mov r8, 1
  mov r9d, 1; mov r10w, 1; mov r11b, 1; mov spl, 1; mov qword [rbx], -1; mov qword [rbx], 1
  add rax, 1; add rax, 0x12345678; and rax, -4096; cmp r15, -129; push rax; push r12; pop rbx
  push 0x12345678; push qword [rax]; pop qword [rax]; push word [rax]; pushfq; popfq; push -1
  jmp rax; call r9; call [rax]; jmp qword [rax]; jmp far dword [rax]; jmp far qword [rax]
  call far word [rax]; mov rax, [0x1234]; mov al, [0x1234]; mov rax, [qword 0x1122334455667788]
  mov [qword 0x1122334455667788], al; mov eax, [qword 0xfee00000]; mov eax, [fs:0]
  mov rax, [gs:0x10]; mov rax, [rbx+rcx*8+0x10]; mov rax, [r12]; mov rax, [r13]; mov rax, [rsp+8]
  mov rax, [r12+r13*2]; mov rax, [ebx]; mov r8d, [r9d+r10d*4-1]; lea rax, [rbx+rcx]
  mov cr0, rax; mov rax, cr3; mov cr8, rax; mov r9, cr8; mov dr0, rax; mov rax, dr7; ltr ax
  str rax; str [rax]; sldt rax; mov ds, rax; mov rax, ds; lar rax, rbx; lsl rax, rcx; o64 sysret
  o64 sysexit; iretq; iret; o64 iret; retfq; o64 retf; vmread rax, rcx; vmwrite rcx, [rax]
  vmread [rax], rcx; vmptrld [rax]; vmxon [rbx]; invept rax, [rbx]; invvpid rax, [rbx]
  invpcid rax, [rbx]; lss rsp, [rax]; lodsq; rep stosq; movsq; cmpsq; scasq; a32 lodsq
  cmpxchg16b [rax]; lock cmpxchg16b [rdi]; movsxd rax, ecx; movsx rax, cx; movzx rax, bl
  movzx rax, word [rbx]; mov al, r8b; movq xmm0, rax; movq rax, xmm1; cvtsi2sd xmm0, rax
  pxor xmm9, xmm15; vaddps ymm8, ymm9, ymm10; fxsave64 [rax]; fxsave [rax]; xsave64 [rax]
  rdfsbase rax; wrgsbase ecx; swapgs; lgdt [rax]; sidt [r8]; inc rax; dec ecx; xchg rax, rax
  xchg eax, eax; xchg rax, r8; xchg r8, rax; xchg r8d, eax; bswap r9; cdqe; cqo; imul rax, rbx, 5
  imul r9, 5; shl rax, 63; bt rax, 33; mov rax, 'abcdefgh'; test rax, 1; mov eax, 1; mov ax, 1
  movbe rax, [rbx]; invlpg [rax]; clflush [r9]; xadd [rax], r9; vmovd xmm0, eax; rdpid rax
  cmp qword [rax], 5; mov [rax], ds; mov es, [rax]; call 0x8:0x10; jmp 0x8:0x10; push eax; push es
  pusha; popa; les ax, [rbx]; into; aaa; mov eax, [bx]; call eax; mov cr0, eax; inc [rax]
  mov ah, r8b; mov sil, ah; mov qword [rbx], 0x80000000; add rax, 0xffffffff; push 0x80000000
  mov eax, [0xfee00000]; bound eax, [rax]; mov rax, [rax+ebx]; lea ax, [rax]; movups xmm10, [rax]
`.split(/[;\n]/);

type Random = (below: number) => number;

/** Mulberry32: a small generator that gives the same numbers for the same seed everywhere. */
function random(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const WORDS = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const HIGH = [8, 9, 10, 11, 12, 13, 14, 15];
const CONDITIONS = "o no b ae e ne be a s ns p np l ge le g c nc z nz nae nbe pe po nge nl".split(
  " ",
);
const SIZES: Record<number, string> = { 8: "byte", 16: "word", 32: "dword", 64: "qword" };

class LineFuzzer {
  readonly #bits: Bits;
  readonly #random: Random;

  constructor(bits: Bits, seed: number) {
    this.#bits = bits;
    this.#random = random(seed);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#random(choices.length)];
  }

  #size(minimum = 8): number {
    const sizes = [8, 16, 32, 64].filter((size) =>
      size >= minimum && (size < 64 || this.#bits === 64)
    );
    return this.#pick(sizes);
  }

  #register(size: number): string {
    const long = this.#bits === 64 ? HIGH : [];
    if (size === 8) {
      return this.#pick([
        ..."al cl dl bl ah ch dh bh".split(" "),
        ...(this.#bits === 64 ? ["spl", "bpl", "sil", "dil"] : []),
        ...long.map((number) => `r${number}b`),
      ]);
    }
    const letter = size === 16 ? "" : size === 32 ? "e" : "r";
    const suffix = size === 16 ? "w" : size === 32 ? "d" : "";
    return this.#pick([
      ...WORDS.map((word) => letter + word),
      ...long.map((number) => `r${number}${suffix}`),
    ]);
  }

  #displacement(size: number): string {
    const value = this.#pick([
      this.#random(0x80),
      this.#random(0x7fff),
      size === 16 ? this.#random(0x7fff) : this.#random(0x7fffffff),
      127,
      128,
    ]);
    return this.#pick(["+", "-"]) + value;
  }

  #memory(): string {
    const segment = this.#random(6) > 0
      ? ""
      : this.#pick(this.#bits === 64 ? ["fs:", "gs:"] : ["es:", "cs:", "fs:", "gs:"]);
    const word = this.#bits !== 64 && this.#random(2) === 0;
    const displacement = this.#random(2) === 0 ? "" : this.#displacement(word ? 16 : 32);
    if (this.#random(8) === 0) return `[${segment}${this.#random(0x8000)}]`;
    if (word) {
      const base = this.#pick(["bx", "bp", "si", "di", "bx+si", "bx+di", "bp+si", "bp+di"]);
      return `[${segment}${base}${displacement}]`;
    }
    const size = this.#bits === 64 && this.#random(4) > 0 ? 64 : 32;
    const base = this.#register(size);
    const index = this.#register(size);
    const scale = this.#pick([1, 2, 4, 8]);
    // A scaled index alone is [index*2] to some and [index+index] to others: 4 and 8 only.
    const address = this.#pick([
      base,
      /sp$/.test(index) ? base : `${base}+${index}*${scale}`,
      /sp$/.test(index) ? base : `${index}*${this.#pick([4, 8])}`,
    ]);
    return `[${segment}${address}${displacement}]`;
  }

  #immediate(size: number): string {
    const edge = this.#pick([0, 1, 127, 128, 255, 256, -1, -128, -129, 32767, 32768, 65535]);
    const value = this.#pick([edge, this.#random(256), this.#random(0x7fffffff)]);
    if (size === 8) return String(value & 0xff);
    if (size === 16) return String(value & 0xffff);
    return String(value);
  }

  #sized(size: number): string {
    return this.#random(2) === 0 ? this.#register(size) : `${SIZES[size]} ${this.#memory()}`;
  }

  #either(size: number): string {
    return this.#random(2) === 0 ? this.#register(size) : this.#memory();
  }

  line(): string {
    const size = this.#size();
    const wide = this.#size(16);
    const register = this.#register(size);
    const xmm = (): string => `xmm${this.#random(this.#bits === 64 ? 16 : 8)}`;
    const ymm = (): string => `ymm${this.#random(this.#bits === 64 ? 16 : 8)}`;
    const arithmetic = "add or adc sbb and sub xor cmp mov".split(" ");
    const shapes: (() => string)[] = [
      () => `${this.#pick(arithmetic)} ${register}, ${this.#either(size)}`,
      () => `${this.#pick(arithmetic)} ${this.#memory()}, ${register}`,
      () => `${this.#pick(arithmetic)} ${this.#sized(size)}, ${this.#immediate(size)}`,
      () => `${this.#pick(["test", "xchg"])} ${this.#either(size)}, ${register}`,
      () => `test ${this.#sized(size)}, ${this.#immediate(size)}`,
      () => `${this.#pick("inc dec neg not mul imul div idiv".split(" "))} ${this.#sized(size)}`,
      () =>
        `${this.#pick("rol ror rcl rcr shl shr sar".split(" "))} ${this.#sized(size)}, ${
          this.#pick(["cl", "1", "3", "31"])
        }`,
      () =>
        `${this.#pick(["bt", "bts", "btr", "btc"])} ${this.#sized(wide)}, ${
          this.#random(2) === 0 ? this.#register(wide) : this.#random(32)
        }`,
      () => `${this.#pick(["movzx", "movsx"])} ${this.#register(wide)}, ${this.#sized(8)}`,
      () =>
        `${this.#pick(["movzx", "movsx"])} ${this.#register(this.#pick([32, wide]))}, ` +
        this.#sized(16),
      () => `imul ${this.#register(wide)}, ${this.#either(wide)}`,
      () => `imul ${this.#register(wide)}, ${this.#either(wide)}, ${this.#immediate(wide)}`,
      () => {
        const name = this.#pick("bsf bsr popcnt tzcnt lzcnt lar lsl".split(" "));
        return `${name} ${this.#register(wide)}, ${this.#either(wide)}`;
      },
      () => `cmov${this.#pick(CONDITIONS)} ${this.#register(wide)}, ${this.#either(wide)}`,
      () => `set${this.#pick(CONDITIONS)} ${this.#sized(8)}`,
      () => `lea ${this.#register(wide)}, ${this.#memory()}`,
      () => `${this.#pick(["push", "pop"])} ${this.#sized(wide)}`,
      () => `${this.#pick(["xadd", "cmpxchg"])} ${this.#sized(size)}, ${register}`,
      () => `lock ${this.#pick(["add", "sub", "xadd", "btc"])} ${this.#memory()}, ${register}`,
      () =>
        `${this.#pick(["shld", "shrd"])} ${this.#either(wide)}, ${this.#register(wide)}, ${
          this.#pick(["cl", "1", "7"])
        }`,
      // GNU as takes "dword" in 64-bit mode for a far pointer, where nasm sees an error.
      () =>
        `${this.#pick(["call", "jmp"])} ${
          this.#sized(this.#bits === 64 && wide === 32 ? 64 : wide)
        }`,
      () => `mov ${this.#pick(["ds", "es", "ss", "fs", "gs"])}, ${this.#either(16)}`,
      () => `mov ${this.#either(16)}, ${this.#pick(["ds", "es", "ss", "cs", "fs", "gs"])}`,
      () => `mov ${this.#register(wide)}, ${this.#pick(["cr0", "cr2", "cr3", "cr4", "dr6"])}`,
      () => `mov ${this.#pick(["cr0", "cr3", "cr4", "dr0", "dr7"])}, ${this.#register(wide)}`,
      () => `${this.#pick("lgdt lidt sgdt sidt invlpg clflush".split(" "))} ${this.#memory()}`,
      () => `${this.#pick("lldt ltr verr verw lmsw str sldt smsw".split(" "))} ${this.#either(16)}`,
      () => `in ${this.#pick(["al", "ax", "eax"])}, ${this.#pick(["dx", "5", "255"])}`,
      () => `out ${this.#pick(["dx", "5", "255"])}, ${this.#pick(["al", "ax", "eax"])}`,
      () => {
        const letter = this.#pick(["b", "w", "d", ...(this.#bits === 64 ? ["q"] : [])]);
        const name = this.#pick(["movs", "stos", "lods", "ins", "outs"]);
        return `${this.#pick(["rep ", ""])}${name}${
          letter === "q" && /^(ins|outs)/.test(name) ? "b" : letter
        }`;
      },
      () => {
        const name = this.#pick(
          "addps mulpd paddb pxor pand andps movaps movups movdqa".split(" "),
        );
        return `${name} ${xmm()}, ${this.#random(2) === 0 ? xmm() : this.#memory()}`;
      },
      () => {
        const name = this.#pick("vaddps vmulpd vpaddb vpxor vandps".split(" "));
        return this.#random(2) === 0
          ? `${name} ${xmm()}, ${xmm()}, ${this.#random(2) === 0 ? xmm() : this.#memory()}`
          : `${name} ${ymm()}, ${ymm()}, ${this.#random(2) === 0 ? ymm() : this.#memory()}`;
      },
      () => `${this.#pick(["movd", "cvtsi2sd"])} ${xmm()}, ${this.#sized(32)}`,
      () =>
        `${this.#pick(["andn", "bextr", "pdep"])} ${this.#register(wide)}, ` +
        `${this.#register(wide)}, ${this.#register(wide)}`,
      () =>
        `${this.#pick(["fld", "fadd", "fmul", "fst"])} ${
          this.#pick(["dword", "qword"])
        } ${this.#memory()}`,
      () => `${this.#pick(["vmread", "xadd"])} ${this.#register(wide)}, ${this.#register(wide)}`,
      () =>
        `${this.#pick(["vmptrld", "vmclear", "fxsave", "xsave", "cmpxchg8b"])} ${this.#memory()}`,
    ];
    return this.#pick(shapes)();
  }
}

/** Random lines; some of them do not exist in the mode, to see that they are refused. */
export function fuzzLines(bits: Bits, count: number, seed: number): string[] {
  const fuzzer = new LineFuzzer(bits, seed);
  return Array.from({ length: count }, () => fuzzer.line());
}

/**
 * A random program of branches over distances near the limits of the short form. With padding by
 * `align`, which may shrink where code grows, there can be several layouts without contradiction.
 */
export function fuzzProgram(bits: Bits, seed: number, aligned: boolean): string {
  const next = random(seed);
  const labels = 12;
  const lines: string[] = [];
  const label = (): string => `l${next(labels)}`;
  const word = bits === 64 ? "dq" : bits === 32 ? "dd" : "dw";
  const accumulator = bits === 64 ? "rax" : bits === 32 ? "eax" : "ax";
  const base = bits === 64 ? "rbx" : bits === 32 ? "ebx" : "bx";
  for (let number = 0; number < labels; number++) {
    lines.push(`l${number}:`);
    for (let count = next(6); count >= 0; count--) {
      const shapes = [
        `jmp ${label()}`,
        `j${CONDITIONS[next(CONDITIONS.length)]} ${label()}`,
        `call ${label()}`,
        `times ${next(70)} nop`,
        `times 3 jmp ${label()}`,
        `${word} ${label()}, $ - ${label()}, $$`,
        `mov ${accumulator}, ${label()}`,
        `mov ${accumulator}, [${label()}]`,
        `mov ecx, [${label()}]`,
        `add ${base}, l${labels - 1} - l${next(labels)}`,
        `mov byte [${base} + l${number} - l0], 5`,
        `lea ${accumulator}, [${base} + ${label()}]`,
        aligned ? `align ${1 << next(5)}` : "nop",
        `db "text", 0, ${next(256)}`,
        `here${lines.length} equ $ - l0`,
        bits === 64 ? `lea rcx, [rel ${label()}]` : `push ${label()}`,
      ];
      lines.push("  " + shapes[next(shapes.length)]);
    }
  }
  return lines.join("\n") + "\n";
}
