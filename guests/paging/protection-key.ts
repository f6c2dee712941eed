import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  /** Of key 5: access and write disable. */
  readonly disable: "access" | "write" | "nothing";
  /** Another key's bits are set and key 5's are not. */
  readonly other?: true;
  readonly user: boolean;
  readonly access: "read" | "write" | "fetch";
  readonly privilege?: 3;
  readonly writeProtectOff?: true;
  /** CR4.PKE is clear. */
  readonly off?: true;
  readonly error?: number;
}

const rows: Record<string, Row> = {
  "access-read": { disable: "access", user: true, access: "read", error: 0x21 },
  "access-write": { disable: "access", user: true, access: "write", error: 0x23 },
  "access-fetch": { disable: "access", user: true, access: "fetch" },
  "write-read": { disable: "write", user: true, access: "read" },
  "write-write": { disable: "write", user: true, access: "write", error: 0x23 },
  // Without CR0.WP the kernel may, user code may not.
  "write-write-wp-off": { disable: "write", user: true, access: "write", writeProtectOff: true },
  "access-write-wp-off": {
    disable: "access",
    user: true,
    access: "write",
    writeProtectOff: true,
    error: 0x23,
  },
  "nothing-write": { disable: "nothing", user: true, access: "write" },
  "other-key-write": { disable: "access", other: true, user: true, access: "write" },
  "supervisor-page-read": { disable: "access", user: false, access: "read" },
  "supervisor-page-write": { disable: "access", user: false, access: "write" },
  "off-write": { disable: "access", user: true, access: "write", off: true },
  "cpl3-access-read": {
    disable: "access",
    user: true,
    access: "read",
    privilege: 3,
    error: 0x25,
  },
  "cpl3-write-write": {
    disable: "write",
    user: true,
    access: "write",
    privilege: 3,
    error: 0x27,
  },
  "cpl3-write-write-wp-off": {
    disable: "write",
    user: true,
    access: "write",
    privilege: 3,
    writeProtectOff: true,
    error: 0x27,
  },
  "cpl3-write-read": { disable: "write", user: true, access: "read", privilege: 3 },
  "cpl3-access-fetch": { disable: "access", user: true, access: "fetch", privilege: 3 },
};

const KEY = 5;

/** What PKRU forbids of a page by its key, with PK in the error code. */
export default defineCases("paging/protection-key", inBothWays(rows), ({ row, way }) => {
  const { disable, other, user, access, privilege, writeProtectOff, off, error } = row;
  const bits = { access: 1, write: 2, nothing: 0 }[disable];
  const pkru = bits << 2 * (other ? KEY + 1 : KEY);
  const tried = { read: "mov al, [rbx + 4]", write: "mov [rbx + 8], dil", fetch: "call rbx" };
  const address = { read: 0xc004, write: 0xc008, fetch: 0xc000 }[access];
  return {
    spec: ["SDM 3A 4.6.2: protection keys", "SDM 3A 4.7: page-fault error code, PK"],
    mode: "long",
    requires: [...way.requires, { cpuid: "PKU" }],
    machine: {
      map: [{
        virtual: 0xc000,
        physical: 0xc000,
        user,
        bits: BigInt(KEY) << 59n,
      }],
      cr4: { set: off ? 0n : 0x400000n },
      ...(privilege && { privilege }),
      ...(writeProtectOff && { cr0: { clear: 0x10000n } }),
    },
    registers: { rbx: 0xc000n, rdi: 0x77n },
    handlers: { 14: "handler" },
    guest: asm`
      ${
      off ? "" : `
        mov eax, ${pkru}
        xor ecx, ecx
        xor edx, edx
        db 0x0f, 0x01, 0xef         ; WRPKRU
        xor eax, eax
      `
    }
      mov esi, -1
      mov r8, after
      ${way.prefix}
      ${tried[access]}
      after:
      mov [0xa000], esi
      mov [0xa004], al
      mov rax, 0xd0000000
      mov [rax], dl                 ; the end: privilege 3 has no HLT
      handler:
      pop rsi
      mov rdx, cr2
      mov [rsp], r8
      iretq
    `,
    drive: ({ write }) => write(0xc000, Uint8Array.of(0xc3, 0, 0, 0, 0x99)),
    trace: ({ after }) => `
      mmio write 0xd0000000 u8 *
      = rax 0xd0000000
      = r8 ${after}
      = rsi *
      = rdx ${error === undefined ? "0x0" : `0x${address.toString(16)}`}
      ${error === undefined ? "" : `= cr2 0x${address.toString(16)}`}
      = rflags *
      = mem 0xa000 u32 0x${(error ?? 0xffffffff).toString(16)}
      = mem 0xa004 u8 ${access === "read" && error === undefined ? "0x99" : "0x0"}
      = mem 0xc008 u8 ${access === "write" && error === undefined ? "0x77" : "0x0"}
      = mem 0x7f80 u64 [${"* ".repeat(16)}]
      ${privilege ? `= mem 0x6f80 u64 [${"* ".repeat(16)}]` : ""}
    `,
  };
});
