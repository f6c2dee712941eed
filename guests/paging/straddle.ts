import { asm, defineCases, type PageMapping } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  readonly first?: Partial<PageMapping>;
  readonly second?: Partial<PageMapping>;
  /** Bytes of the access, and how many of them lie on the first page. */
  readonly size: 2 | 4 | 8;
  readonly low: number;
  readonly access: "read" | "write" | "modify";
  /** The error code, and which of the pages it is of. */
  readonly fault?: readonly [code: number, page: 1 | 2];
}

const absent = { present: false };
const readOnly = { writable: false };

const rows: Record<string, Row> = {};
for (const [size, low] of [[2, 1], [4, 3], [8, 1]] as const) {
  const at = { size, low };
  for (const access of ["read", "write", "modify"] as const) {
    const name = `${access}-${size}`;
    const write = access === "read" ? 0 : 2;
    rows[name] = { ...at, access };
    rows[`${name}-first-absent`] = { ...at, access, first: absent, fault: [write, 1] };
    rows[`${name}-second-absent`] = { ...at, access, second: absent, fault: [write, 2] };
    rows[`${name}-both-absent`] = {
      ...at,
      access,
      first: absent,
      second: absent,
      fault: [write, 1],
    };
    if (access === "read") {
      rows[`${name}-second-read-only`] = { ...at, access, second: readOnly };
      continue;
    }
    rows[`${name}-first-read-only`] = { ...at, access, first: readOnly, fault: [3, 1] };
    rows[`${name}-second-read-only`] = { ...at, access, second: readOnly, fault: [3, 2] };
  }
}

const BEFORE = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];

/** An access across two pages that do not lie behind each other, and the address of a fault in each. */
export default defineCases("paging/straddle", inBothWays(rows), ({ row, way }) => {
  const { size, low, access, fault, first, second } = row;
  const at = 0xd000 - low;
  const register = { 2: "dx", 4: "edx", 8: "rdx" }[size];
  const pointer = { 2: "word", 4: "dword", 8: "qword" }[size];
  const instruction = {
    read: `mov ${register}, [rbx]`,
    write: `mov [rbx], ${register}`,
    modify: `add ${pointer} [rbx], 1`,
  }[access];
  const written = [0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8];
  const number = (bytes: readonly number[]) =>
    bytes.slice(0, size).reduceRight((value, byte) => value << 8n | BigInt(byte), 0n);
  const source = number(written);
  const done = fault === undefined;
  const left = done && access === "write"
    ? written
    : done && access === "modify"
    ? [0x12, ...BEFORE.slice(1)]
    : BEFORE;
  const hexes = (bytes: readonly number[]) => bytes.map((byte) => `0x${byte.toString(16)}`);
  // Whether the read or the write of an instruction with both comes upon an absent page is open.
  const undecided = access === "modify" && fault !== undefined && (fault[0] & 1) === 0;
  const address = fault === undefined ? 0 : fault[1] === 1 ? at : 0xd000;
  const loaded = access === "read" && done ? number(BEFORE) : source;
  return {
    spec: ["SDM 3A 4.7: CR2 holds the linear address that faulted", "SDM 3A 4.6: access rights"],
    mode: "long",
    requires: way.requires,
    machine: {
      map: [
        { virtual: 0xc000, physical: 0xe000, ...first },
        { virtual: 0xd000, physical: 0xb000, ...second },
      ],
    },
    registers: { rbx: BigInt(at), rdx: source },
    handlers: { 14: "handler" },
    guest: asm`
      mov ecx, -1
      ${way.prefix}
      ${instruction}
      hlt
      handler:
      pop rcx
      mov rax, cr2
      hlt
    `,
    drive({ write }) {
      write(0xe000 + 0x1000 - low, Uint8Array.from(BEFORE.slice(0, low)));
      write(0xb000, Uint8Array.from(BEFORE.slice(low, size)));
    },
    trace: `
      hlt
      = rax 0x${address.toString(16)}
      = rcx ${undecided ? "*" : `0x${(fault?.[0] ?? 0xffffffff).toString(16)}`}
      = rdx 0x${loaded.toString(16)}
      ${fault === undefined ? "" : `= cr2 0x${address.toString(16)}`}
      ${fault === undefined ? "" : "= rsp 0x7fd8"}
      ${fault === undefined ? "" : `= mem 0x7fd0 u64 [${"* ".repeat(6)}]`}
      = rflags *
      = mem 0x${(0xf000 - low).toString(16)} u8 [${hexes(left.slice(0, low)).join(" ")}]
      = mem 0xb000 u8 [${hexes(left.slice(low, size)).join(" ")}]
    `,
  };
});
