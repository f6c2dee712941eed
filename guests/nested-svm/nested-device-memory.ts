import { asm, defineCases } from "../../mod.ts";
import {
  ALL,
  DIRECTORY,
  FRAME,
  machineOfTested,
  prepared,
  prepareTables,
  ROOT,
  TABLE,
  TESTED,
} from "./_nested_paging.ts";
import {
  report,
  reported,
  reportExit,
  requiresNestedPaging,
  run,
  VMCB,
  vmcb,
  written,
} from "./_vmcb.ts";

/** No memory is there. */
const DEVICE = 0xd0000000n;

interface Row {
  code: string;
  exits?: string;
  state?: string;
  /** The directory's entry, where it is not a table. */
  directory?: bigint;
  /** What the hypervisor does before it runs its guest again, and what that meets. */
  again?: { change: string; exits: string; state: string };
}

const set = (address: number, value: bigint) => `
  mov rax, ${value}
  mov [${address}], rax
  mov byte [${VMCB + 0x5c}], 1
`;
const toMemory = BigInt(FRAME) | ALL;
const toDevice = DEVICE | ALL;

const rows: Record<string, Row> = {
  read: {
    code: "mov edi, [rsi]",
    exits: "mmio read 0xd0000d00 u32 -> 0x12345678",
    state: "= rdi 0x12345678",
  },
  write: { code: "mov [rsi], eax", exits: "mmio write 0xd0000d00 u32 0x77" },
  "write-byte": { code: "mov [rsi + 1], al", exits: "mmio write 0xd0000d01 u8 0x77" },
  modify: {
    code: "add [rsi], eax\nmov edi, 0",
    exits: "mmio read 0xd0000d00 u32 -> 0x11\nmmio write 0xd0000d00 u32 0x88",
  },
  twice: {
    code: "mov [rsi], eax\nmov [rsi + 4], eax\nmov edi, [rsi + 8]",
    exits: `
      mmio write 0xd0000d00 u32 0x77
      mmio write 0xd0000d04 u32 0x77
      mmio read 0xd0000d08 u32 -> 0x99
    `,
    state: "= rdi 0x99",
  },
  "two-pages": {
    code: "mov edi, [rsi]\nmov edi, [rsi + 0x1000]",
    directory: DEVICE | ALL | 0x80n,
    exits: "mmio read 0xd0000d00 u32 -> 0x1\nmmio read 0xd0001d00 u32 -> 0x2",
    state: "= rdi 0x2",
  },
  "string-store": {
    code: `
      mov edi, esi
      mov ecx, 2
      rep stosd
    `,
    exits: "mmio write 0xd0000d00 u32 0x77\nmmio write 0xd0000d04 u32 0x77",
    state: "= rdi 0x40000d08",
  },
  "becomes-memory": {
    code: "mov edi, [rsi]",
    exits: "mmio read 0xd0000d00 u32 -> 0x12345678",
    again: { change: set(TABLE, toMemory), exits: "", state: "= rdi 0x11223344" },
    state: `= mem 0x106000 u64 0x${toMemory.toString(16)}`,
  },
  "becomes-other-device": {
    code: "mov edi, [rsi]",
    exits: "mmio read 0xd0000d00 u32 -> 0x12345678",
    again: {
      change: set(TABLE, 0xd1000000n | ALL),
      exits: "mmio read 0xd1000d00 u32 -> 0x5",
      state: "= rdi 0x5",
    },
    state: "= mem 0x106000 u64 0xd1000067",
  },
  "stays-device": {
    code: "mov edi, [rsi]",
    exits: "mmio read 0xd0000d00 u32 -> 0x12345678",
    again: {
      change: set(TABLE + 8, toMemory),
      exits: "mmio read 0xd0000d00 u32 -> 0x5",
      state: "= rdi 0x5",
    },
    state: `= mem 0x106008 u64 0x${toMemory.toString(16)}`,
  },
  "table-becomes-device": {
    code: "mov edi, [rsi]",
    exits: "mmio read 0xd0000d00 u32 -> 0x12345678",
    again: {
      change: set(DIRECTORY, 0xd1000000n | ALL | 0x80n),
      exits: "mmio read 0xd1000d00 u32 -> 0x5",
      state: "= rdi 0x5",
    },
    state: "= mem 0x105000 u64 0xd10000e7",
  },
};

/** A guest whose nested page tables lead to where no memory is: the hypervisor's host answers. */
export default defineCases("nested-svm/nested-device-memory", rows, (row) => ({
  spec: ["APM 2 15.25.3: nested paging operation", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  requires: requiresNestedPaging,
  machine: machineOfTested,
  registers: { rsi: BigInt(TESTED + 0xd00) },
  guest: asm`
    ${run}
    ${
    row.again
      ? `
      ${reportExit}
      ${row.again.change}
      mov qword [${VMCB + 0x578}], nested
      mov eax, ${VMCB}
      vmrun
    `
      : ""
  }
    ${report}
    nested:
    ${row.code}
    mov eax, 0
    at:
    vmmcall
  `,
  drive: (context) => {
    const { write, labels } = context;
    prepareTables(context, { table: toDevice, ...(row.directory && { directory: row.directory }) });
    write(FRAME + 0xd00, Uint8Array.of(0x44, 0x33, 0x22, 0x11));
    write(
      VMCB,
      vmcb({ rip: labels.get("nested")!, rax: 0x77n, second: 2, nestedCr3: BigInt(ROOT) }),
    );
  },
  trace: ({ at }) => `
    ${prepared}
    ${row.exits ?? ""}
    ${reported(0x81, 0n, 0n, at)}
    ${row.again ? `${row.again.exits}\n${reported(0x81, 0n, 0n, at)}` : ""}
    hlt
    = rflags 0x46
    ${row.state ?? ""}
    ${row.again?.state ?? ""}
    ${written}
  `,
}));
