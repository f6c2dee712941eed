import { asm, defineCases } from "../../mod.ts";
import { error, NPF } from "./_nested_paging.ts";
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

const { FINAL, P, W, U, RSVD, ID } = error;

const ROOT = 0x100000;
const [FRAME, OTHER_FRAME] = [0x108000, 0x109000];
/** Guest-physical. */
const TESTED = 0x40000000;

/** A hypervisor without PAE: two levels, of which the upper may map 4 MiB. */
const twoLevel = {
  mode: "paged",
  machine: { efer: { set: 0x1000n }, cr4: { set: 0x10n } },
  size: 4,
  root: [[ROOT, ROOT + 0x3000 | 0x67], [ROOT + 0x400, ROOT + 0x4000 | 0x67]],
  entries: { directory: ROOT + 0x400, table: ROOT + 0x4000 },
} as const;

/** A hypervisor with PAE: three levels, of which the top has four entries without permissions. */
const threeLevel = {
  mode: "pae",
  machine: { efer: { set: 0x1800n } },
  size: 8,
  root: [
    [ROOT, ROOT + 0x1000 | 1],
    [ROOT + 8, ROOT + 0x2000 | 1],
    [ROOT + 0x1000, ROOT + 0x3000 | 0x67],
    [ROOT + 0x2000, ROOT + 0x4000 | 0x67],
  ],
  entries: { pointer: ROOT + 8, directory: ROOT + 0x2000, table: ROOT + 0x4000 },
} as const;

const hosts = { "two-level": twoLevel, "three-level": threeLevel } as const;

type Outcome = "frame" | "other" | "low" | { read: bigint } | { write: bigint } | { fetch: bigint };

interface Row {
  host: keyof typeof hosts;
  /** Entries that are not as usual, by address. */
  levels?: [address: number, value: bigint][];
  first: Outcome;
  /** One entry is changed, and the guest runs again. */
  change?: [address: number, value: bigint];
  second?: Outcome;
}

const rows: Record<string, Row> = {};
const table = BigInt(FRAME) | 0x67n;
for (const host of ["two-level", "three-level"] as const) {
  const { entries } = hosts[host];
  const directory = BigInt(ROOT + 0x4000) | 0x67n;
  const levels = [["directory", entries.directory, directory], ["table", entries.table, table]];
  rows[host] = { host, first: "frame" };
  for (const [name, at, entry] of levels as [string, number, bigint][]) {
    const flaw = (kind: string, value: bigint, met: Outcome) => {
      rows[`${host}-${kind}-${name}`] = { host, levels: [[at, value]], first: met };
      rows[`${host}-becomes-${kind}-${name}`] = {
        host,
        first: "frame",
        change: [at, value],
        second: met,
      };
      rows[`${host}-no-more-${kind}-${name}`] = {
        host,
        levels: [[at, value]],
        first: met,
        change: [at, entry],
        second: "frame",
      };
    };
    flaw("not-present", entry & ~1n, { read: 0n });
    flaw("read-only", entry & ~2n, { write: P });
    flaw("supervisor", entry & ~4n, { read: P });
    if (host === "three-level") {
      flaw("reserved", entry | 1n << 51n, { read: P | RSVD });
      flaw("no-execute", entry | 1n << 63n, { fetch: P });
    }
  }
  rows[`${host}-remap`] = {
    host,
    first: "frame",
    change: [entries.table, BigInt(OTHER_FRAME) | 0x67n],
    second: "other",
  };
  rows[`${host}-large`] = { host, levels: [[entries.directory, 0xe7n]], first: "low" };
  rows[`${host}-large-reserved`] = {
    host,
    levels: [[entries.directory, 0x2000e7n | (host === "two-level" ? 0n : 0x2000n)]],
    first: { read: P | RSVD },
  };
  rows[`${host}-merge`] = {
    host,
    first: "frame",
    change: [entries.directory, 0xe7n],
    second: "low",
  };
  rows[`${host}-split`] = {
    host,
    levels: [[entries.directory, 0xe7n]],
    first: "low",
    change: [entries.directory, directory],
    second: "frame",
  };
}
rows["three-level-not-present-pointer"] = {
  host: "three-level",
  levels: [[threeLevel.entries.pointer, 0n]],
  first: { read: 0n },
};
rows["three-level-becomes-not-present-pointer"] = {
  host: "three-level",
  first: "frame",
  change: [threeLevel.entries.pointer, 0n],
  second: { read: 0n },
};

const values = { frame: "0x11111111", other: "0x22222222", low: "0x33333333" };
const places = { frame: FRAME, other: OTHER_FRAME, low: 0 };

function met(outcome: Outcome, fetches: boolean, labels: Readonly<Record<string, string>>): string {
  const fault = (bits: bigint, offset: number, rip: string) =>
    reported(NPF, FINAL | U | bits, BigInt(TESTED + 0xd00 + offset), rip);
  const end = `0x${(TESTED + 0xd08).toString(16)}`;
  if (typeof outcome === "string") {
    return `pio out 0x20 u32 ${values[outcome]}\n${reported(0x81, 0n, 0n, end)}`;
  }
  if ("read" in outcome) return fault(outcome.read, 0, labels.reads);
  const read = `pio out 0x20 u32 ${values.frame}\n`;
  if ("write" in outcome) return read + fault(outcome.write | W, 4, labels.writes);
  return read + fault(outcome.fetch | (fetches ? ID : 0n), 8, end);
}

const bytes = (size: 4 | 8, ...values: bigint[]) =>
  new Uint8Array(
    size === 4 ? Uint32Array.from(values, Number).buffer : BigUint64Array.from(values).buffer,
  );

/** A hypervisor in a 32-bit mode: its nested page tables have the form of its own paging. */
export default defineCases("nested-svm/nested-paging-of-32-bit-host", rows, (row) => {
  const { host, levels = [], first, change, second } = row;
  const { mode, machine, size, root } = hosts[host];
  // QEMU sets A in a pointer of PAE paging, where it is reserved, and KVM then refuses the pointers
  // at #VMEXIT: the guest, which runs last before, writes the hypervisor's pointer anew.
  return {
    spec: [
      "APM 2 15.25.4: nested page tables have the format of the host's paging mode",
      "APM 2 15.25.6: nested versus guest page faults",
    ],
    mode,
    requires: requiresNestedPaging,
    machine,
    registers: { rsi: BigInt(TESTED + 0xd00) },
    guest: asm`
      ${run}
      ${reportExit}
      ${
      change
        ? `
        mov dword [${change[0]}], ${change[1] & 0xffffffffn}
        ${size === 8 ? `mov dword [${change[0] + 4}], ${change[1] >> 32n}` : ""}
        mov byte [${VMCB + 0x5c}], 1
        mov dword [${VMCB + 0x578}], nested
        mov eax, ${VMCB}
        vmrun
        ${reportExit}
      `
        : ""
    }
      ${report.slice(reportExit.length)}
      nested:
      ${host === "three-level" ? "mov byte [0x10000], 1" : ""}
      reads:
      mov eax, [esi]
      out 0x20, eax
      writes:
      mov [esi + 4], eax
      lea edx, [esi + 8]
      jmp edx
    `,
    drive: ({ vm, write, labels }) => {
      vm.memory.addRam(ROOT, 0x10000, { slot: 1 });
      for (const [at, value] of root) write(at, bytes(size, BigInt(value)));
      write(
        ROOT + 0x3000,
        bytes(size, ...Array.from({ length: 512 }, (_, page) => BigInt(page << 12 | 0x67))),
      );
      write(ROOT + 0x4000, bytes(size, table));
      for (const [at, value] of levels) write(at, bytes(size, value));
      for (const [page, fill] of [[FRAME, 0x11], [OTHER_FRAME, 0x22], [0, 0x33]]) {
        // VMMCALL behind the two words.
        write(page + 0xd00, Uint8Array.of(fill, fill, fill, fill, 0, 0, 0, 0, 0x0f, 0x01, 0xd9));
      }
      write(
        VMCB,
        vmcb({
          rip: labels.get("nested")!,
          second: 2,
          nestedCr3: BigInt(ROOT),
          cr0: 0x31n,
          cr4: 0n,
          efer: 0x1000n,
          other: { 0x410: 0xffffffff_0c9b_0028n },
        }),
      );
    },
    trace: (labels) => {
      const outcomes = second === undefined ? [first] : [first, second];
      const pages = new Set<keyof typeof places>();
      for (const outcome of outcomes) {
        if (typeof outcome === "string") pages.add(outcome);
        else if ("fetch" in outcome) pages.add("frame");
      }
      return `
        > slot 0x1 gpa=0x100000 size=0x10000
        ${outcomes.map((outcome) => met(outcome, host === "three-level", labels)).join("\n")}
        hlt
        = rflags 0x46
        ${
        [...pages].map((page) =>
          `= mem 0x${(places[page] + 0xd04).toString(16)} u32 ${values[page]}`
        )
          .join("\n")
      }
        ${
        change ? `= mem 0x${change[0].toString(16)} u${size * 8} 0x${change[1].toString(16)}` : ""
      }
        ${host === "three-level" ? "= mem 0x10000 u8 *" : ""}
        ${written}
      `;
    },
  };
});
