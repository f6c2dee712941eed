import { asm, type CpuidFeatureName, defineCases } from "../../mod.ts";
import { ways } from "../_ways.ts";

interface Row {
  feature?: CpuidFeatureName;
  cr4?: bigint;
  /** CR0.WP is clear. */
  writeProtectOff?: true;
  /** RFLAGS.AC. */
  alignmentCheck?: true;
  page: { user: boolean; writable: boolean };
  access: "read" | "write" | "fetch";
  error?: number;
}

const user = { user: true, writable: true };
const [SMEP, SMAP] = [0x100000n, 0x200000n];

const rows: Record<string, Row> = {
  "smep-fetch-user": { feature: "SMEP", cr4: SMEP, page: user, access: "fetch", error: 0x11 },
  "smep-fetch-supervisor": {
    feature: "SMEP",
    cr4: SMEP,
    page: { user: false, writable: true },
    access: "fetch",
  },
  "smep-read-user": { feature: "SMEP", cr4: SMEP, page: user, access: "read" },
  "smep-write-user": { feature: "SMEP", cr4: SMEP, page: user, access: "write" },
  "smap-read-user": { feature: "SMAP", cr4: SMAP, page: user, access: "read", error: 0x1 },
  "smap-write-user": { feature: "SMAP", cr4: SMAP, page: user, access: "write", error: 0x3 },
  "smap-fetch-user": { feature: "SMAP", cr4: SMAP, page: user, access: "fetch" },
  "smap-read-supervisor": {
    feature: "SMAP",
    cr4: SMAP,
    page: { user: false, writable: true },
    access: "read",
  },
  // RFLAGS.AC lets the kernel at user pages.
  "smap-read-user-allowed": {
    feature: "SMAP",
    cr4: SMAP,
    alignmentCheck: true,
    page: user,
    access: "read",
  },
  "smap-write-user-allowed": {
    feature: "SMAP",
    cr4: SMAP,
    alignmentCheck: true,
    page: user,
    access: "write",
  },
  "wp-off-supervisor": {
    writeProtectOff: true,
    page: { user: false, writable: false },
    access: "write",
  },
  "wp-off-user": { writeProtectOff: true, page: { user: true, writable: false }, access: "write" },
  // Without CR0.WP the kernel still may not write user pages that SMAP keeps.
  "wp-off-smap": {
    feature: "SMAP",
    cr4: SMAP,
    writeProtectOff: true,
    page: { user: true, writable: false },
    access: "write",
    error: 0x3,
  },
  "wp-on-user": { page: { user: true, writable: false }, access: "write", error: 0x3 },
};

/** What CR0.WP, CR4.SMEP and CR4.SMAP let the kernel do to pages, and the error codes of the rest. */
export default defineCases(
  "paging/supervisor",
  Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) =>
      Object.entries(ways).map(([suffix, way]) => [name + suffix, { row, way }])
    ),
  ),
  ({ row, way }) => {
    const { feature, cr4 = 0n, writeProtectOff, alignmentCheck, page, access, error } = row;
    const tried =
      { read: "mov al, [rbx + 4]", write: "mov [rbx + 8], cl", fetch: "call rbx" }[access];
    const address = { read: 0xc004, write: 0xc008, fetch: 0xc000 }[access];
    const flags = alignmentCheck ? 0x40002n : 0x2n;
    const top = access === "fetch" ? 0x7fc0 : 0x7fd0;
    return {
      spec: ["SDM 3A 4.6.1: determination of access rights", "SDM 3A 4.7: page-fault exceptions"],
      mode: "long",
      requires: [...way.requires, ...(feature ? [{ cpuid: feature }] : [])],
      machine: {
        map: [{ virtual: 0xc000, physical: 0xc000, ...page }],
        cr4: { set: cr4 },
        ...(writeProtectOff && { cr0: { clear: 0x10000n } }),
        rflags: { set: flags },
      },
      registers: { rbx: 0xc000n, rcx: 0x77n },
      handlers: { 14: "handler" },
      guest: asm`
        ${way.prefix}
        faulting:
        ${tried}
        behind:
        hlt
        handler:
        mov rdx, cr2
        hlt
      `,
      drive: ({ write }) => write(0xc000, Uint8Array.of(0xc3, 0, 0, 0, 0x99)),
      trace: ({ faulting, behind }) =>
        error !== undefined
          ? `
            hlt
            = rdx 0x${address.toString(16)}
            = cr2 0x${address.toString(16)}
            = rsp 0x${top.toString(16)}
            = mem 0x${top.toString(16)} u64 [0x${error.toString(16)} ${
            access === "fetch" ? "0xc000" : faulting
          } 0x28 0x1${flags.toString(16).padStart(4, "0")} ${
            access === "fetch" ? `0x7ff8 0x30 * ${behind}` : "0x8000 0x30"
          }]
          `
          : `
            hlt
            ${access === "read" ? "= rax 0x99" : ""}
            ${access === "write" ? "= mem 0xc008 u8 0x77" : ""}
            ${access === "fetch" ? `= mem 0x7ff8 u64 ${behind}` : ""}
          `,
    };
  },
);
