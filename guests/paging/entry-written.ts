import { asm, defineCases, type PagingMode } from "../../mod.ts";
import { makeOtherRoot, tables } from "./_other_root.ts";

interface Row {
  /** What the guest does; E is the entry of 0xc000, which maps to the page of that address. */
  readonly code: string;
  /** What has changed at the end; E's entry by its name. */
  readonly state: string;
  readonly modes?: readonly PagingMode[];
}

/** By what each page of data begins with. */
const [C, D, EE] = ["0xcccccccc", "0xdddddddd", "0xeeeeeeee"];

const rows: Record<string, Row> = {
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
  "two-entries": {
    code: `
      mov ebx, [0xd000]
      mov dword [E + SIZE - 2], 0xe0630000
      invlpg [0xd000]
      mov esi, [0xd000]
      mov edi, [0xc000]`,
    state: `= rbx ${D}\n= rsi ${EE}\n= rdi ${C}\n= next-entry 0xe063`,
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
};

const byMode: Record<string, { row: Row; mode: PagingMode }> = {};
for (const [name, row] of Object.entries(rows)) {
  for (const mode of row.modes ?? ["paged", "pae", "long"] as const) {
    byMode[`${name}-${mode}`] = { row, mode };
  }
}

/** Entries that are written in parts, by locked instructions, two at once, and again and again. */
export default defineCases("paging/entry-written", byMode, ({ row, mode }) => {
  const { code, state } = row;
  const { table, entry, size, others, large } = tables[mode];
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
    spec: "SDM 3A 4.10.4: invalidation of TLBs and paging-structure caches",
    mode,
    machine: {
      map: [
        { virtual: large.address, physical: 0, size: large.size, pageSize: large.size },
      ],
    },
    guest: asm`
      ${named(code)}
      hlt
    `,
    drive({ read, write }) {
      for (const [index, byte] of [0xcc, 0xdd, 0xee].entries()) {
        const page = new Uint8Array(8);
        page.fill(byte, 0, 4);
        // A number to add.
        page.set([byte & 0xf], 4);
        write(0xc000 + 0x1000 * index, page);
      }
      makeOtherRoot(mode, { read, write });
    },
    trace: `
      hlt
      ${named(state)}
      ${mode === "pae" ? "= mem 0x10000 u8 *\n= mem 0x17000 u8 *" : ""}
    `,
  };
});
