import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { CF, OF, PF, SF, ZF } from "./_model.ts";

type Condition = (flags: { c: boolean; p: boolean; z: boolean; s: boolean; o: boolean }) => boolean;

/** By the suffix of the mnemonic (SDM 1 appendix B). */
const conditions: Readonly<Record<string, Condition>> = {
  o: ({ o }) => o,
  no: ({ o }) => !o,
  b: ({ c }) => c,
  ae: ({ c }) => !c,
  e: ({ z }) => z,
  ne: ({ z }) => !z,
  be: ({ c, z }) => c || z,
  a: ({ c, z }) => !c && !z,
  s: ({ s }) => s,
  ns: ({ s }) => !s,
  p: ({ p }) => p,
  np: ({ p }) => !p,
  l: ({ s, o }) => s !== o,
  ge: ({ s, o }) => s === o,
  le: ({ z, s, o }) => z || s !== o,
  g: ({ z, s, o }) => !z && s === o,
};

/** All 32 settings of CF, PF, ZF, SF and OF. */
const settings = Array.from(
  { length: 32 },
  (_, number) =>
    [CF, PF, ZF, SF, OF].reduce(
      (flags, bit, place) => number >> place & 1 ? flags | bit : flags,
      2n,
    ),
);

const isTrue = (condition: Condition, flags: bigint) =>
  condition({
    c: (flags & CF) !== 0n,
    p: (flags & PF) !== 0n,
    z: (flags & ZF) !== 0n,
    s: (flags & SF) !== 0n,
    o: (flags & OF) !== 0n,
  });

const rows = Object.fromEntries(Object.keys(conditions).map((name) => [name, name]));

/** SETcc, CMOVcc and Jcc near and short decide by the same flags, and change none. */
export default defineCases(
  "emulate/condition",
  inBothWays(rows),
  ({ row, way: { prefix, requires } }) => ({
    spec: ["SDM 1 appendix B: EFLAGS condition codes", "SDM 2: CMOVcc, Jcc, SETcc"],
    mode: "long",
    requires,
    registers: { rsi: 0xa000n, rdi: 0xb000n, rbp: 0x2222222222222222n },
    guest: asm`
    try:
    push qword [rsi]
    popfq
    mov ecx, 0xffffff00
    mov edx, -1
    mov bl, 1
    ${prefix}
    set${row} cl
    ${prefix}
    cmov${row} rdx, rbp
    ${prefix}
    j${row} short_taken
    mov bl, 0
    short_taken:
    mov bh, 1
    ${prefix}
    j${row} near_taken
    mov bh, 0
    jmp near_taken
    ${"nop\n".repeat(130)}
    near_taken:
    pushfq
    mov [rdi], cl
    mov [rdi + 1], bl
    mov [rdi + 2], bh
    mov [rdi + 3], dl
    pop rax
    mov [rdi + 4], eax
    add edi, 8
    add esi, 8
    cmp esi, 0xa100
    jb try
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    mov qword [0x7ff8], 0
    hlt
  `,
    drive: ({ write }) => write(0xa000, new Uint8Array(BigUint64Array.from(settings).buffer)),
    trace: `
    hlt
    = rsi 0xa100
    = rdi 0xb100
    = rflags 0x46
    = mem 0xb000 u64 [${
      settings.map((flags) => {
        const taken = isTrue(conditions[row], flags);
        return `0x${(flags << 32n | (taken ? 0x22010101n : 0xff000000n)).toString(16)}`;
      }).join(" ")
    }]
  `,
  }),
);
