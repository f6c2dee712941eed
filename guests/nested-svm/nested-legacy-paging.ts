import { asm, defineCases } from "../../mod.ts";
import {
  ALL,
  DIRECTORY,
  error,
  FRAME,
  machineOfTested,
  NPF,
  prepared,
  prepareTables,
  ROOT,
  TESTED,
} from "./_nested_paging.ts";
import {
  report,
  reported,
  requiresNestedPaging,
  run,
  VMCB,
  vmcb,
  type VmcbFields,
  written,
} from "./_vmcb.ts";

const { FINAL, WALK, P, W, U } = error;

/** Where the guest's own tables lie, in pages that the nested tables map as they are. */
const OWN = 0x10a000;
const bytes32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const bytes64 = (...values: bigint[]) => new Uint8Array(BigUint64Array.from(values).buffer);

/** A 32-bit code segment, in the VMCB's form: limit, attributes, selector. */
const other = { 0x410: 0xffffffff_0c9b_0028n };

interface Mode {
  fields: Partial<VmcbFields>;
  /** The guest's tables: what they make of linear TESTED, and of the code. */
  tables: [address: number, bytes: Uint8Array][];
  /** The linear address that ends at guest-physical TESTED. */
  address: number;
}

const modes: Record<string, Mode> = {
  protected: { fields: { cr0: 0x31n, cr4: 0n, efer: 0x1000n, other }, tables: [], address: TESTED },
  "32-bit": {
    fields: { cr0: 0x80010031n, cr4: 0n, cr3: BigInt(OWN), efer: 0x1000n, other },
    tables: [
      [OWN, bytes32(OWN + 0x1000 | 0x67)],
      [OWN + 0x800, bytes32(OWN + 0x2000 | 0x67)],
      [OWN + 0x1000, bytes32(...Array.from({ length: 512 }, (_, page) => page << 12 | 0x67))],
      [OWN + 0x2000, bytes32(TESTED | 0x67)],
    ],
    address: 0x80000000,
  },
  "32-bit-large": {
    fields: { cr0: 0x80010031n, cr4: 0x10n, cr3: BigInt(OWN), efer: 0x1000n, other },
    tables: [[OWN, bytes32(0xe7)], [OWN + 0x800, bytes32(TESTED | 0xe7)]],
    address: 0x80000000,
  },
  pae: {
    fields: { cr0: 0x80010031n, cr4: 0x20n, cr3: BigInt(OWN), efer: 0x1000n, other },
    tables: [
      [OWN, bytes64(BigInt(OWN + 0x1000) | 1n, 0n, BigInt(OWN + 0x2000) | 1n, 0n)],
      [OWN + 0x1000, bytes64(0xe7n)],
      [OWN + 0x2000, bytes64(BigInt(OWN + 0x3000) | ALL)],
      [OWN + 0x3000, bytes64(BigInt(TESTED) | ALL)],
    ],
    address: 0x80000000,
  },
};

interface Row {
  mode: string;
  /** The nested table's entry of guest-physical TESTED. */
  entry?: bigint;
  /** The guest's own table that is not to be had. */
  without?: number;
  exit: "end" | { final: bigint } | { walk: bigint; at: number };
}

const rows: Record<string, Row> = {};
for (const mode of Object.keys(modes)) {
  rows[mode] = { mode, exit: "end" };
  rows[`${mode}-not-present`] = { mode, entry: 0n, exit: { final: 0n } };
  rows[`${mode}-read-only`] = { mode, entry: BigInt(FRAME) | 0x65n, exit: { final: P | W } };
}
rows["32-bit-table-not-present"] = {
  mode: "32-bit",
  without: OWN + 0x2000,
  exit: { walk: 0n, at: OWN + 0x2000 },
};
rows["pae-table-not-present"] = {
  mode: "pae",
  without: OWN + 0x3000,
  exit: { walk: 0n, at: OWN + 0x3000 },
};
rows["pae-directory-not-present"] = {
  mode: "pae",
  without: OWN + 0x2000,
  exit: { walk: 0n, at: OWN + 0x2000 },
};

/** Nested paging under a guest without paging, or with that of 32-bit processors. */
export default defineCases("nested-svm/nested-legacy-paging", rows, (row) => {
  const { fields, tables, address } = modes[row.mode];
  return {
    spec: ["APM 2 15.25.3: nested paging operation", "APM 2 5.2: legacy-mode page translation"],
    mode: "long",
    requires: requiresNestedPaging,
    machine: { ...machineOfTested, map: [] },
    registers: { rsi: BigInt(address + 0xd00) },
    // What the guest runs is encoded alike in 32-bit and in 64-bit code.
    guest: asm`
      ${run}
      ${report}
      nested:
      mov eax, [rsi]
      out 0x20, eax
      writes:
      mov [rsi + 4], eax
      at:
      vmmcall
    `,
    drive: (context) => {
      const { write, labels } = context;
      prepareTables(context, { table: row.entry ?? BigInt(FRAME) | ALL });
      // Guest-physical TESTED, which 32 bits reach.
      write(ROOT + 0x1008, bytes64(BigInt(DIRECTORY) | ALL));
      write(FRAME + 0xd00, Uint8Array.of(0x44, 0x33, 0x22, 0x11));
      for (const [at, bytes] of tables) write(at, bytes);
      if (row.without) write(ROOT + 0x3000 + (row.without >> 12) * 8, bytes64(0n));
      write(
        VMCB,
        vmcb({
          rip: labels.get("nested")!,
          second: 2,
          nestedCr3: BigInt(ROOT),
          ...fields,
        }),
      );
    },
    trace: ({ nested, at, writes }) => {
      const { exit } = row;
      const read = "pio out 0x20 u32 0x11223344\n";
      const end = () => {
        if (exit === "end") return read + reported(0x81, 0n, 0n, at);
        if ("walk" in exit) return reported(NPF, WALK | W | U, BigInt(exit.at), nested);
        const write = exit.final & W;
        return (write ? read : "") +
          reported(
            NPF,
            FINAL | U | exit.final,
            BigInt(TESTED + 0xd00 + (write ? 4 : 0)),
            write ? writes : nested,
          );
      };
      // Whether a walk sets A in a pointer of PAE paging is not promised.
      return `
        ${prepared}
        ${end()}
        hlt
        = rflags 0x46
        ${row.mode === "pae" ? "= mem 0x10a000 u8 *\n= mem 0x10a010 u8 *" : ""}
        ${exit === "end" ? "= mem 0x108d04 u32 0x11223344" : ""}
        ${written}
      `;
    },
  };
});
