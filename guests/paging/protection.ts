import { asm, defineCases, type PagingMode, type Requirement } from "../../mod.ts";
import { ways } from "../_ways.ts";

/** Attributes of the page at 0xc000. */
interface Page {
  user: boolean;
  writable: boolean;
  executable: boolean;
  present: boolean;
}

interface Row {
  mode: PagingMode;
  privilege: 0 | 3;
  page: Page;
  forced: boolean;
  /** CR0.WP is clear, which is nothing to user code. */
  writeProtectOff?: true;
}

/** The emulation ends, with every case that would come after, at such a switch of stacks. */
const stackSwitch: Requirement = {
  notEmulatedBy: "qemu-tcg",
  because: "it aborts at a switch from CPL 3 to CPL 0 through a busy 32-bit TSS",
};

/** The PDPTEs of memory and of the device: what a walk leaves in them is judged elsewhere. */
const pointers = "= mem 0x10000 u8 *\n= mem 0x10018 u8 *";

type Access = "read" | "write" | "fetch";

/** The error code of a refused access; `undefined` where it goes through (SDM 3A 4.6 and 4.7). */
function errorCode(
  access: Access,
  privilege: 0 | 3,
  page: Page,
  noExecute: boolean,
): number | undefined {
  const base = (access === "write" ? 2 : 0) | (privilege === 3 ? 4 : 0) |
    (access === "fetch" && noExecute ? 0x10 : 0);
  if (!page.present) return base;
  const forbidden = (privilege === 3 && !page.user) ||
    // CR0.WP is set.
    (access === "write" && !page.writable) ||
    (access === "fetch" && !page.executable);
  return forbidden ? base | 1 : undefined;
}

const pages: Record<string, Page> = {};
for (const user of [true, false]) {
  for (const writable of [true, false]) {
    for (const executable of [true, false]) {
      const name = `${user ? "user" : "supervisor"}-${writable ? "writable" : "read-only"}${
        executable ? "" : "-no-execute"
      }`;
      pages[name] = { user, writable, executable, present: true };
    }
  }
}
pages["not-present"] = { user: true, writable: true, executable: true, present: false };

const rows: Record<string, Row> = {};
for (const mode of ["paged", "pae", "long"] as const) {
  for (const [name, page] of Object.entries(pages)) {
    // Two-level paging has no XD.
    if (mode === "paged" && !page.executable) continue;
    for (const privilege of [0, 3] as const) {
      const id = `${mode}-${privilege === 3 ? "cpl3" : "cpl0"}-${name}`;
      rows[id] = { mode, privilege, page, forced: false };
      rows[`${id}-forced`] = { mode, privilege, page, forced: true };
    }
  }
}

for (const forced of [false, true]) {
  rows[`long-cpl3-user-read-only-wp-off${forced ? "-forced" : ""}`] = {
    mode: "long",
    privilege: 3,
    page: pages["user-read-only"],
    forced,
    writeProtectOff: true,
  };
}

/**
 * A read, a write and a fetch of one page, each of which goes through or faults with the error code
 * that tells why; EFER.NXE is set where there is an XD bit.
 */
export default defineCases("paging/protection", rows, (row) => {
  const { mode, privilege, page, forced, writeProtectOff } = row;
  const noExecute = mode !== "paged" && (mode === "long" || !page.executable);
  const way = ways[forced ? "-forced" : ""];
  const long = mode === "long";
  const at = long ? "rbx" : "ebx";
  const accesses: Record<Access, string> = {
    read: `mov al, [${at} + 4]`,
    write: `mov [${at} + 8], cl`,
    fetch: `call ${at}`,
  };
  const outcome = (access: Access, offset: number, number: number) => {
    const error = errorCode(access, privilege, page, noExecute);
    return error === undefined
      ? `mmio write 0xd0000000 u8 0x${number}`
      : `mmio write 0xd0000010 u32 0x${error.toString(16)}\nmmio write 0xd0000014 u32 0x${
        (0xc000 + offset).toString(16)
      }`;
  };
  const written = errorCode("write", privilege, page, noExecute) === undefined;
  const faults = (["read", "write", "fetch"] as const).some((access) =>
    errorCode(access, privilege, page, noExecute) !== undefined
  );
  return {
    spec: ["SDM 3A 4.6: access rights", "SDM 3A 4.7: page-fault exceptions"],
    mode,
    requires: [
      ...way.requires,
      ...(noExecute ? [{ cpuid: "NX" } as const] : []),
      ...(privilege === 3 && !long ? [stackSwitch] : []),
    ],
    machine: {
      privilege,
      map: [{ virtual: 0xc000, physical: 0xc000, ...page }],
      ...(writeProtectOff && { cr0: { clear: 0x10000n } }),
      ...(mode === "pae" && noExecute && { efer: { set: 0x800n } }),
    },
    registers: { rbx: 0xc000n, rdi: 0xd0000000n, rcx: 0x77n },
    handlers: { 14: "handler" },
    guest: asm`
      ${
      (["read", "write", "fetch"] as const).map((access, number) => `
        mov esi, after_${access}
        ${way.prefix}
        ${accesses[access]}
        mov byte [${long ? "rdi" : "edi"}], ${number + 1}
        after_${access}:
      `).join("\n")
    }
      mov esi, 0
      mov eax, 0
      mov ${long ? "rsp" : "esp"}, 0x8000
      mov byte [${long ? "rdi" : "edi"} + 0x20], 0
      handler:
      pop ${long ? "rax" : "eax"}
      mov [${long ? "rdi" : "edi"} + 0x10], eax
      mov ${long ? "rax, cr2" : "eax, cr2"}
      mov [${long ? "rdi" : "edi"} + 0x14], eax
      mov [${long ? "rsp" : "esp"}], ${long ? "rsi" : "esi"}
      ${long ? "iretq" : "iretd"}
    `,
    drive: ({ write }) => write(0xc000, Uint8Array.of(0xc3)),
    trace: `
      ${outcome("read", 4, 1)}
      ${outcome("write", 8, 2)}
      ${outcome("fetch", 0, 3)}
      mmio write 0xd0000020 u8 0x0
      ${faults ? "= cr2 *" : ""}
      ${written ? "= mem 0xc008 u8 0x77" : ""}
      = mem 0x7fc0 u64 [* * * * * * * *]
      ${mode === "pae" ? pointers : ""}
      ${privilege === 3 && faults ? "= mem 0x6fc0 u64 [* * * * * * * *]" : ""}
    `,
  };
});
