import {
  asm,
  type CpuidFeatureName,
  defineCases,
  type PagingMode,
  type Requirement,
} from "../../mod.ts";
import {
  ALL,
  flushes,
  FRAME,
  inRegister,
  LARGE,
  NO_EXECUTE,
  OTHER_FRAME,
  OTHER_ROOT,
  OTHER_TABLE,
  ownTables,
  ROOT,
  set,
} from "./_own_tables.ts";

const P = 1;
const W = 2;
const RSVD = 8;
const ID = 0x10;

/** What the guest meets: a page by what is in it, or a fault of its read, its write, its fetch. */
type Outcome = "frame" | "other" | "low" | { read: number } | { write: number } | { fetch: number };

interface Row {
  readonly mode: PagingMode;
  /** Entries that are others from the start. */
  readonly before?: Readonly<Record<number, bigint>>;
  readonly first?: Outcome;
  readonly change: string;
  readonly flush: string;
  readonly second: Outcome;
  /** The entries that differ in the end. */
  readonly left?: Readonly<Record<number, bigint>>;
  /** The guest's handler makes the change, and goes back. */
  readonly onFault?: true;
  readonly user?: true;
  readonly cr0?: { readonly clear: bigint };
  readonly cr4?: bigint;
  readonly cpuid?: CpuidFeatureName;
  readonly requires?: readonly Requirement[];
}

/** What QEMU's own page walk, which is that of a guest with nested paging, makes of reserved bits. */
const reservedBits: Requirement = {
  notEmulatedBy: "qemu-tcg",
  because: "it says of a reserved bit in a present entry that the entry is not present",
};
const pointersAtControl: Requirement = {
  notEmulatedBy: "qemu-tcg",
  because: "it sets a reserved bit, as accessed, in the entries that a write to CR4 loads",
};

const rows: Record<string, Row> = {};

for (const mode of ["long", "pae", "paged"] as const) {
  const { entries, size, rootSize } = ownTables[mode];
  const [table, directory] = entries;
  const long = mode === "long";
  const [di, si] = long ? ["rdi", "rsi"] : ["edi", "esi"];
  const { page, root, global } = flushes(mode);
  const other = BigInt(OTHER_FRAME) | ALL;
  const otherTable = BigInt(OTHER_TABLE) | ALL;
  const usual = BigInt(FRAME) | ALL;
  const usualTable = BigInt(table) | ALL;
  const add = (name: string, row: Omit<Row, "mode" | "flush"> & { flush?: string }) => {
    rows[`${mode}-${name}`] = { mode, flush: page, ...row };
  };
  const setting = (at: number, value: bigint) => ({
    change: set(mode, at, value),
    left: { [at]: value },
  });
  const remap = { ...setting(table, other), second: "other" } as const;
  add("remap", remap);
  add("remap-flush-root", { ...remap, flush: root });
  const pointers = mode === "pae" ? { requires: [pointersAtControl] } : {};
  add("remap-flush-global", { ...remap, ...pointers, flush: global });
  add("remap-byte", {
    change: `mov byte [${table + 1}], ${OTHER_FRAME >> 8}`,
    second: "other",
    left: { [table]: other },
  });
  add("remap-add", { ...remap, change: `lock add dword [${table}], 0x1000` });
  add("remap-string", {
    ...remap,
    change: `mov ${si}, ${OTHER_TABLE}\nmov ${di}, ${table}\nmov ecx, ${size}\nrep movsb`,
  });
  add("remap-there-and-back", {
    change: `${set(mode, table, other)}\n${page}\nmov al, [${long ? "rbp" : "ebp"}]
      ${set(mode, table, usual)}`,
    second: "frame",
  });
  const globals = { [table]: usual | 0x100n };
  for (const [name, flush] of [["page", page], ["global", global]] as const) {
    add(`remap-of-global-flush-${name}`, {
      before: globals,
      cr4: 0x80n,
      ...(name === "global" && pointers),
      ...setting(table, other | 0x100n),
      flush,
      second: "other",
    });
  }
  add("remap-table", { ...setting(directory, otherTable), second: "other" });
  add("remap-table-flush-root", {
    ...setting(directory, otherTable),
    flush: root,
    second: "other",
  });
  add("remap-table-byte", {
    before: { [directory]: usualTable },
    change: `mov byte [${directory + 1}], ${OTHER_TABLE >> 8 & 0xff}`,
    second: "other",
    left: { [directory]: otherTable },
  });
  add("neighbour", { ...setting(table + size, other), second: "frame" });
  add("table-written-often", {
    change: `${
      Array.from({ length: 8 }, (_, index) => set(mode, table + size * (index + 1), 0n)).join("\n")
    }\n${set(mode, table, other)}`,
    second: "other",
    left: { [table]: other },
  });
  add("table-emptied", {
    change: `mov ${di}, ${table}\nmov ecx, 1024\nxor eax, eax\nrep stosd`,
    second: { read: 0 },
    left: { [table]: 0n },
  });
  // What the processor set it sets again.
  add("accessed-and-dirty-cleared", {
    change: `and byte [${table}], 0x9f`,
    second: "frame",
  });
  add("dirty-cleared", { change: `and byte [${table}], 0xbf`, second: "frame" });
  add("accessed-of-table-cleared", { change: `and byte [${directory}], 0xdf`, second: "frame" });
  const large = mode === "paged" ? { cr4: 0x10n } : {};
  add("merge", { ...large, ...setting(directory, LARGE), second: "low" });
  add("split", {
    ...large,
    before: { [directory]: LARGE },
    first: "low",
    ...setting(directory, usualTable),
    second: "frame",
  });
  // The entry is changed while another root is in use, which leads to the same tables.
  add("changed-under-another-root", {
    change: `
      mov ${si}, ${ROOT}
      mov ${di}, ${OTHER_ROOT}
      mov ecx, ${rootSize / 4}
      rep movsd
      mov eax, ${OTHER_ROOT}
      mov cr3, ${long ? "rax" : "eax"}
      call use
      ${set(mode, table, other)}
      mov eax, ${ROOT}
      mov cr3, ${long ? "rax" : "eax"}
      mov ${di}, ${OTHER_ROOT}
      mov ecx, ${rootSize / 4}
      xor eax, eax
      rep stosd
    `,
    flush: "",
    second: "other",
    left: { [table]: other },
  });
  // What is written to the table through a mapping of itself.
  add("through-itself", {
    before: { [table + size]: BigInt(table) | ALL },
    change: `${
      mode === "long"
        ? `mov rax, ${other}\nmov [rbp + ${0x1000 - 0xd00}], rax`
        : `mov dword [ebp + ${0x1000 - 0xd00}], ${other}`
    }`,
    second: "other",
    left: { [table]: other, [table + size]: BigInt(table) | ALL },
  });
  const control = (register: string, value: bigint) => ({
    change: inRegister(mode, register, `or $, ${value}`),
    flush: "",
  });
  add("write-protect-on", {
    before: { [table]: usual & ~2n },
    cr0: { clear: 0x10000n },
    ...control("cr0", 0x10000n),
    second: { write: P | W },
    left: { [table]: usual & ~2n },
  });
  add("smep-on", {
    ...pointers,
    user: true,
    cpuid: "SMEP",
    ...control("cr4", 0x100000n),
    second: { fetch: P | ID },
  });
  // What the kernel wrote without CR0.WP is no page of its own for that.
  const readOnlyOfUser = { [table]: usual & ~2n | 4n };
  add("write-protect-off-with-smep", {
    ...pointers,
    user: true,
    cpuid: "SMEP",
    cr0: { clear: 0x10000n },
    cr4: 0x100000n,
    before: readOnlyOfUser,
    first: { fetch: P | ID },
    change: inRegister(mode, "cr4", "btr $, 20"),
    flush: "",
    second: "frame",
    left: readOnlyOfUser,
    onFault: true,
  });
  add("smap-on", { user: true, cpuid: "SMAP", ...control("cr4", 0x200000n), second: { read: P } });
  entries.forEach((at, index) => {
    const level = index + 1;
    const pointer = mode === "pae" && level === 3;
    const entry = index === 0 ? usual : BigInt(entries[index - 1] & ~0xfff) | (pointer ? 1n : ALL);
    // The processor reads the four entries at the top of PAE tables when CR3 is loaded.
    const flush = pointer ? root : page;
    const lowered = (name: string, value: bigint, second: Outcome, requires: Requirement[] = []) =>
      add(`${name}-level-${level}`, { ...setting(at, value), flush, second, requires });
    lowered("unmap", entry & ~1n, { read: 0 });
    const raised = (name: string, value: bigint, first: Outcome, requires: Requirement[] = []) =>
      add(`${name}-level-${level}`, {
        before: { [at]: value },
        first,
        change: set(mode, at, entry),
        // A fault has left nothing of the page in the TLB.
        flush: "",
        second: "frame",
        left: { [at]: entry },
        requires,
        onFault: true,
      });
    if (pointer) return;
    raised("map", entry & ~1n, { read: 0 });
    lowered("protect", entry & ~2n, { write: P | W });
    raised("unprotect", entry & ~2n, { write: P | W });
    if (mode === "paged") return;
    lowered("no-execute", entry | NO_EXECUTE, { fetch: P | ID });
    raised("execute", entry | NO_EXECUTE, { fetch: P | ID });
    lowered("reserved", entry | 1n << 51n, { read: P | RSVD }, [reservedBits]);
    raised("legal", entry | 1n << 51n, { read: P | RSVD }, [reservedBits]);
  });
}

const words = { frame: 0x11111111, other: 0x22222222, low: 0x33333333 };
const places = { frame: FRAME, other: OTHER_FRAME, low: 0 };
const hex = (value: number | bigint) => `0x${value.toString(16)}`;

/** The page of an outcome; a fault of a write or a fetch has read the first frame. */
function pageOf(outcome: Outcome): keyof typeof places | undefined {
  if (typeof outcome === "string") return outcome;
  return "read" in outcome ? undefined : "frame";
}

function met(outcome: Outcome, linear: bigint, goesOn: boolean): string {
  const page = pageOf(outcome) ?? "frame";
  const read = `pio out 0x20 u32 ${hex(words[page])}\n`;
  const rest = `pio out 0x21 u8 ${hex(words[page] & 0xff)}\n`;
  if (typeof outcome === "string") return read + rest;
  const { error, offset } = faultOf(outcome);
  const fault = `pio out 0x22 u32 ${hex(error)}\npio out 0x23 u32 ${
    hex((linear + 0xd00n + BigInt(offset)) & 0xffffffffn)
  }\n`;
  const after = goesOn ? rest : "";
  return "read" in outcome ? fault + (goesOn ? read + rest : "") : read + fault + after;
}

function faultOf(outcome: Exclude<Outcome, string>): { error: number; offset: number } {
  if ("read" in outcome) return { error: outcome.read, offset: 0 };
  return "write" in outcome
    ? { error: outcome.write, offset: 4 }
    : { error: outcome.fetch, offset: 0x10 };
}

/** A guest changes its page tables, or what its control registers make of them: it meets the change. */
export default defineCases("paging/change", rows, (row) => {
  const { mode, before = {}, first = "frame", change, flush, second, left = {} } = row;
  const { linear, size, entries } = ownTables[mode];
  const long = mode === "long";
  const [a, bp, d, sp] = long ? ["rax", "rbp", "rdx", "rsp"] : ["eax", "ebp", "edx", "esp"];
  const fault = [first, second].find((outcome) => typeof outcome !== "string");
  const pages = new Set([first, second].flatMap((outcome) => pageOf(outcome) ?? []));
  if (row.onFault) pages.add("frame");
  // What a walk leaves in the entries at the top of PAE tables is judged elsewhere.
  const pointers = mode === "pae" ? [ROOT, ROOT + 8, ROOT + 0x18] : [];
  const between = row.change.includes("call use") ? met("frame", linear, false) : "";
  return {
    spec: [
      "SDM 3A 4.10.4: invalidation of TLBs and paging-structure caches",
      "SDM 3A 4.8: accessed and dirty flags",
      "SDM 3A 4.7: page-fault exceptions",
    ],
    mode,
    requires: [
      // PVM, which runs every guest in the emulator, has no 32-bit paging.
      ...(long ? [] : [{ backend: ["svm", "vmx"] } as const]),
      ...(mode === "paged" ? [] : [{ cpuid: "NX" } as const]),
      ...(row.cpuid ? [{ cpuid: row.cpuid } as const] : []),
      ...(row.requires ?? []),
    ],
    machine: {
      map: [{ virtual: linear, physical: FRAME, size: 0x1000, ...(row.user && { user: true }) }],
      ...(row.cr0 && { cr0: row.cr0 }),
      ...(row.cr4 && { cr4: { set: row.cr4 } }),
      ...(mode === "pae" && { efer: { set: 0x800n } }),
    },
    registers: { rbp: linear + 0xd00n },
    handlers: { 14: "handler" },
    guest: asm`
      call use
      ${row.onFault ? "" : `${change}\n${flush}`}
      call use
      jmp end
      use:
      mov eax, [${bp}]
      out 0x20, eax
      mov [${bp} + 4], eax
      lea ${d}, [${bp} + 0x10]
      call ${d}
      out 0x21, al
      ret
      handler:
      mov ebx, eax
      pop ${a}
      out 0x22, eax
      mov ${a}, cr2
      out 0x23, eax
      ${
      row.onFault
        ? `${change}\n${flush}\nmov eax, ebx\nxor ebx, ebx\n${long ? "iretq" : "iretd"}`
        : ""
    }
      end:
      mov ${sp}, 0x8000
      xor ecx, ecx
      xor esi, esi
      xor edi, edi
      xor edx, edx
      xor ebx, ebx
      xor eax, eax
      hlt
    `,
    drive({ write }) {
      const entry = (at: number, value: bigint) =>
        write(at, new Uint8Array(BigUint64Array.of(value).buffer).slice(0, size));
      // Nothing else is mapped beside the page.
      write(entries[0] + size, new Uint8Array(0x1000 - size));
      entry(OTHER_TABLE, BigInt(OTHER_FRAME) | ALL);
      for (const [at, value] of Object.entries(before)) entry(Number(at), value);
      for (const page of ["frame", "other", "low"] as const) {
        // RET behind the two words.
        const word = words[page] & 0xff;
        write(places[page] + 0xd00, Uint8Array.of(word, word, word, word));
        write(places[page] + 0xd10, Uint8Array.of(0xc3));
      }
    },
    trace: `
      ${met(first, linear, row.onFault === true)}
      ${between}
      ${met(second, linear, false)}
      hlt
      ${row.change.includes("cr0") ? "= cr0 *" : ""}
      ${row.cpuid ? "= cr4 *" : ""}
      ${fault ? `= cr2 ${hex(linear + 0xd00n + BigInt(faultOf(fault).offset))}` : ""}
      = rflags 0x46
      = mem 0x7fc0 u64 [${"* ".repeat(8)}]
      ${
      [...pages].map((page) => `= mem ${hex(places[page] + 0xd04)} u32 ${hex(words[page])}`).join(
        "\n",
      )
    }
      ${
      Object.entries({ ...before, ...left }).filter(([at]) => !pointers.includes(Number(at))).map((
        [at, value],
      ) => `= mem ${hex(Number(at))} u${size * 8} ${hex(value)}`).join("\n")
    }
      ${pointers.map((at) => `= mem ${hex(at)} u64 *`).join("\n")}
    `,
  };
});
