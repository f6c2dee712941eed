import { asm, defineCases, type PageMapping, type PagingMode } from "../../mod.ts";
import { makeOtherRoot, tables } from "./_tables.ts";

interface Row {
  /** What the guest does; E is the entry of 0xc000, which maps to the page of that address. */
  readonly code: string;
  /** How 0xc000 is mapped at first, where that is not by all rights. */
  readonly page?: Partial<PageMapping>;
  /** What has changed at the end; E's entry by its name. */
  readonly state: string;
  /** The address of the one page fault: its handler mends E, and the instruction starts anew. */
  readonly fault?: number;
  readonly modes?: readonly PagingMode[];
  readonly cr0?: { readonly clear: bigint };
  readonly cr4?: { readonly set: bigint };
}

/** By what each page of data begins with. */
const [C, D, EE] = ["0xcccccccc", "0xdddddddd", "0xeeeeeeee"];

const rows: Record<string, Row> = {
  "frame": {
    code: `
      mov ebx, [0xc000]
      mov dword [E], 0xd063
      invlpg [0xc000]
      mov esi, [0xc000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= entry 0xd063`,
  },
  "frame-cr3": {
    code: `
      mov ebx, [0xc000]
      mov dword [E], 0xd063
      mov long_a, cr3
      mov cr3, long_a
      mov esi, [0xc000]`,
    state: `= rax 0x10000\n= rbx ${C}\n= rsi ${D}\n= entry 0xd063`,
  },
  "frame-byte": {
    code: `
      mov ebx, [0xc000]
      mov byte [E + 1], 0xd0
      invlpg [0xc000]
      mov esi, [0xc000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= entry 0xd063`,
  },
  "frame-word": {
    code: `
      mov ebx, [0xc000]
      mov word [E], 0xd063
      invlpg [0xc000]
      mov esi, [0xc000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= entry 0xd063`,
  },
  "frame-compared": {
    code: `
      mov ebx, [0xc000]
      mov eax, 0xc063
      mov edx, 0xd063
      lock cmpxchg [E], edx
      invlpg [0xc000]
      mov esi, [0xc000]`,
    state: `= rax 0xc063\n= rbx ${C}\n= rdx 0xd063\n= rsi ${D}\n= entry 0xd063\n= rflags 0x46`,
  },
  "frame-compared-8-bytes": {
    modes: ["pae", "long"],
    code: `
      mov esi, [0xc000]
      mov eax, 0xc063
      mov edx, 0
      mov ebx, 0xd063
      mov ecx, 0
      lock cmpxchg8b [E]
      invlpg [0xc000]
      mov edi, [0xc000]`,
    state: `= rax 0xc063\n= rbx 0xd063\n= rcx 0x0\n= rdx 0x0\n= rsi ${C}\n= rdi ${D}\n` +
      "= entry 0xd063\n= rflags 0x42",
  },
  "frame-exchanged": {
    code: `
      mov ebx, [0xc000]
      mov edx, 0xd063
      xchg [E], edx
      invlpg [0xc000]
      mov esi, [0xc000]`,
    state: `= rbx ${C}\n= rdx 0xc063\n= rsi ${D}\n= entry 0xd063`,
  },
  // Two bytes of E and two of the next entry.
  "two-entries": {
    code: `
      mov ebx, [0xd000]
      mov dword [E + SIZE - 2], 0xe0630000
      invlpg [0xd000]
      mov esi, [0xd000]
      mov edi, [0xc000]`,
    state: `= rbx ${D}\n= rsi ${EE}\n= rdi ${C}\n= next-entry 0xe063`,
  },
  "by-another-address": {
    // 0xb000 is the page of the last table.
    code: `
      mov ebx, [0xc000]
      mov dword [0xb000 + OFFSET], 0xd063
      invlpg [0xc000]
      mov esi, [0xc000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= entry 0xd063`,
  },
  "again-and-again": {
    code: `
      xor eax, eax
      mov ecx, 12
      mov edx, 0xd063
      again:
      mov [E], edx
      invlpg [0xc000]
      add eax, [0xc004]
      xor edx, 0x3000
      dec ecx
      jnz again`,
    // Six times 0xd and six times 0xe.
    state: "= rax 0xa2\n= rcx 0x0\n= rdx 0xd063\n= entry 0xe063\n= rflags 0x46",
  },
  // Nothing is cached of what is not present (SDM 3A 4.10.2.3).
  "present": {
    page: { present: false },
    code: `
      mov dword [E], 0xc063
      mov ebx, [0xc000]`,
    state: `= rbx ${C}\n= entry 0xc063`,
  },
  "present-on-demand": {
    page: { present: false },
    fault: 0xc000,
    code: "mov ebx, [0xc000]",
    state: `= rbx ${C}\n= entry 0xc063\n= rcx 0x0`,
  },
  "not-present": {
    fault: 0xc000,
    code: `
      mov ebx, [0xc000]
      mov dword [E], 0xc062
      invlpg [0xc000]
      mov esi, [0xc000]`,
    state: `= rbx ${C}\n= rsi ${C}\n= rcx 0x0`,
  },
  "writable-on-demand": {
    page: { writable: false },
    fault: 0xc000,
    code: `
      mov ebx, [0xc000]
      mov dword [0xc000], 0x11111111`,
    state: `= rbx ${C}\n= mem 0xc000 u32 0x11111111\n= entry 0xc063\n= rcx 0x3`,
  },
  "read-only": {
    fault: 0xc000,
    code: `
      mov dword [0xc000], 0x11111111
      mov dword [E], 0xc061
      invlpg [0xc000]
      mov ebx, [0xc000]
      mov dword [0xc000], 0x22222222`,
    state: "= rbx 0x11111111\n= mem 0xc000 u32 0x22222222\n= rcx 0x3",
  },
  // CR0.WP decides of the supervisor's writes, and needs no invalidation (SDM 3A 4.10.4.1).
  "write-protect": {
    page: { writable: false },
    fault: 0xc004,
    cr0: { clear: 0x10000n },
    code: `
      mov dword [0xc000], 0x11111111
      mov ebx, [0xc000]
      mov long_a, cr0
      or eax, 0x10000
      mov cr0, long_a
      mov dword [0xc004], 0x22222222`,
    state: "= rax 0x80010031\n= cr0 0x80010031\n= rbx 0x11111111\n" +
      "= mem 0xc000 u32 [0x11111111 0x22222222]\n= entry 0xc063\n= rcx 0x3\n= rflags *",
  },
  "no-execute": {
    modes: ["long"],
    fault: 0xc010,
    code: `
      call 0xc010
      mov dword [E + 4], 0x80000000
      invlpg [0xc000]
      call 0xc010`,
    state: "= rcx 0x11",
  },
  "accessed-and-dirty": {
    page: { accessed: false, dirty: false },
    code: `
      mov ebx, [0xc000]
      mov ebp, [E]
      mov dword [0xc000], 0x11111111
      mov esi, [E]
      mov dword [E], 0xc003
      invlpg [0xc000]
      mov eax, [0xc000]
      mov edi, [E]
      mov dword [0xc004], 0x22222222`,
    state: `= rbx ${C}\n= rbp 0xc023\n= rsi 0xc063\n= rax 0x11111111\n= rdi 0xc023\n` +
      "= mem 0xc000 u32 [0x11111111 0x22222222]\n= entry 0xc063",
  },
  "global": {
    page: { bits: 0x100n },
    cr4: { set: 0x80n },
    code: `
      mov ebx, [0xc000]
      mov dword [E], 0xd163
      mov long_a, cr4
      btr eax, 7
      mov cr4, long_a
      mov esi, [0xc000]
      bts eax, 7
      mov cr4, long_a`,
    state: `= rax *\n= rbx ${C}\n= rsi ${D}\n= entry 0xd163\n= rflags *`,
  },
  "table": {
    code: `
      mov ebx, [0xc000]
      mov dword [POINTER], OTHER_TABLE + 0x27
      invlpg [0xc000]
      mov esi, [0xc000]
      mov dword [POINTER], TABLE + 0x27
      invlpg [0xc000]
      mov edi, [0xc000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= rdi ${C}`,
  },
  "root": {
    code: `
      mov ebx, [0xc000]
      mov edx, OTHER_ROOT
      mov cr3, long_d
      mov esi, [0xc000]
      mov eax, 0x10000
      mov cr3, long_a
      mov edi, [0xc000]`,
    state: `= rax 0x10000\n= rdx OTHER_ROOT\n= rbx ${C}\n= rsi ${D}\n= rdi ${C}`,
  },
  // What the tables of one root become while the other is in use.
  "other-root": {
    code: `
      mov ebx, [0xc000]
      mov edx, OTHER_ROOT
      mov cr3, long_d
      mov esi, [0xc000]
      mov dword [E], 0xe063
      mov eax, 0x10000
      mov cr3, long_a
      mov edi, [0xc000]
      mov dword [OTHER_TABLE + OFFSET], 0xc063
      mov cr3, long_d
      mov ebp, [0xc000]`,
    state: `= rax 0x10000\n= cr3 OTHER_ROOT\n= rdx OTHER_ROOT\n= rbx ${C}\n= rsi ${D}\n` +
      `= rdi ${EE}\n= rbp ${C}\n= entry 0xe063\n= mem OTHER_ENTRY u32 0xc063`,
  },
  "large-page-to-table": {
    code: `
      mov ebx, [LARGE + 0xc000]
      mov dword [LARGE_POINTER], OTHER_TABLE + 0x27
      invlpg [LARGE + 0xc000]
      mov esi, [LARGE + 0xc000]
      mov edi, [LARGE + 0xd000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= rdi ${D}\n= mem LARGE_POINTER u32 LARGE_TABLE`,
  },
  // Two bytes of the entry before, and two of the one that is meant.
  "two-pointers": {
    code: `
      mov ebx, [LARGE + 0xc000]
      mov dword [LARGE_POINTER - 2], LARGE_TABLE * 0x10000 + BEFORE
      invlpg [LARGE + 0xc000]
      mov esi, [LARGE + 0xc000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= mem LARGE_POINTER u32 LARGE_TABLE`,
  },
  "two-pointers-8-bytes": {
    modes: ["long"],
    code: `
      mov ebx, [LARGE + 0xc000]
      mov eax, LARGE_TABLE * 0x10000
      mov [LARGE_POINTER - 2], rax
      invlpg [LARGE + 0xc000]
      mov esi, [LARGE + 0xc000]`,
    state: `= rax 0xf0270000\n= rbx ${C}\n= rsi ${D}\n= mem LARGE_POINTER u32 LARGE_TABLE`,
  },
  "pointer-bytes": {
    code: `
      mov ebx, [LARGE + 0xc000]
      mov byte [LARGE_POINTER], 0x27
      mov byte [LARGE_POINTER + 1], OTHER_TABLE / 0x100
      invlpg [LARGE + 0xc000]
      mov esi, [LARGE + 0xc000]`,
    state: `= rbx ${C}\n= rsi ${D}\n= mem LARGE_POINTER u32 LARGE_TABLE`,
  },
  "pointer-again-and-again": {
    code: `
      mov ebx, [LARGE + 0xc000]
      mov ecx, 7
      mov edx, LARGE_TABLE
      again:
      mov [LARGE_POINTER], edx
      xor edx, LARGE_TABLE ^ 0xe3
      dec ecx
      jnz again
      invlpg [LARGE + 0xc000]
      mov esi, [LARGE + 0xc000]`,
    state: `= rbx ${C}\n= rcx 0x0\n= rdx 0xe3\n= rsi ${D}\n= rflags 0x46\n` +
      "= mem LARGE_POINTER u32 LARGE_TABLE",
  },
  "table-to-large-page": {
    code: `
      mov dword [LARGE_POINTER], OTHER_TABLE + 0x27
      invlpg [LARGE + 0xc000]
      mov ebx, [LARGE + 0xc000]
      mov dword [LARGE_POINTER], 0xe3
      invlpg [LARGE + 0xc000]
      mov esi, [LARGE + 0xc000]`,
    state: `= rbx ${D}\n= rsi ${C}`,
  },
};

const byMode: Record<string, { row: Row; mode: PagingMode }> = {};
for (const [name, row] of Object.entries(rows)) {
  for (const mode of row.modes ?? ["paged", "pae", "long"] as const) {
    byMode[`${name}-${mode}`] = { row, mode };
  }
}

/** What a guest does to its page tables holds as soon as the specification says. */
export default defineCases("paging/change", byMode, ({ row, mode }) => {
  const { code, page = {}, state, fault, cr0, cr4 } = row;
  const { table, entry, size, pointer, others, large } = tables[mode];
  const long = mode === "long";
  const hex = (value: number) => `0x${value.toString(16)}`;
  const [otherRoot, otherTable] = [others.at(0)!, others.at(-1)!];
  const names: Record<string, number> = {
    OTHER_ROOT: otherRoot,
    OTHER_TABLE: otherTable,
    OTHER_ENTRY: otherTable + entry - table,
    LARGE_POINTER: large.pointer,
    LARGE_TABLE: otherTable + 0x27,
    BEFORE: mode === "paged" ? 0x80 : 0,
    LARGE: large.address,
    POINTER: pointer,
    TABLE: table,
    OFFSET: entry - table,
    SIZE: size,
    E: entry,
  };
  const named = (text: string) =>
    text.replace(/\b[A-Z][A-Z_]*\b/g, (word) => word in names ? hex(names[word]) : word)
      .replace(/\blong_(\w)/g, long ? "r$1x" : "e$1x")
      .replace("next-entry", `mem ${hex(entry + size)} u32`)
      .replace("entry", `mem ${hex(entry)} u32`);
  return {
    spec: [
      "SDM 3A 4.10.4: invalidation of TLBs and paging-structure caches",
      "SDM 3A 4.7: page-fault exceptions",
      "SDM 3A 4.8: accessed and dirty flags",
    ],
    mode,
    ...(cr4 && { requires: [{ cpuid: "PGE" }] }),
    machine: {
      map: [
        { virtual: 0xc000, physical: 0xc000, ...page },
        { virtual: 0xb000, physical: table },
        { virtual: large.address, physical: 0, size: large.size, pageSize: large.size },
      ],
      cr0,
      cr4,
    },
    ...(fault !== undefined && { handlers: { 14: "handler" } }),
    guest: asm`
      ${named(code)}
      hlt
      handler:
      pop ${long ? "rcx" : "ecx"}      ; the error code
      mov ${long ? "rdi" : "edi"}, cr2
      mov dword [${entry}], 0xc063
      ${long ? `mov dword [${entry + 4}], 0` : ""}
      invlpg [0xc000]
      ${long ? "iretq" : "iretd"}
    `,
    drive({ read, write }) {
      for (const [index, byte] of [0xcc, 0xdd, 0xee].entries()) {
        const page = new Uint8Array(0x20);
        page.fill(byte, 0, 4);
        // A number to add, and a RET to call.
        page.set([byte & 0xf], 4);
        page.set([0xc3], 0x10);
        write(0xc000 + 0x1000 * index, page);
      }
      makeOtherRoot(mode, { read, write });
    },
    trace: `
      hlt
      ${named(state)}
      ${fault === undefined ? "" : `= rdi ${hex(fault)}\n= cr2 ${hex(fault)}`}
      = mem 0x7fc0 u64 [* * * * * * * *]
      ${mode === "pae" ? "= mem 0x10000 u8 *\n= mem 0x17000 u8 *" : ""}
    `,
  };
});
