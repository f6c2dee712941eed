import { asm, defineCases } from "../../mod.ts";
import {
  machine,
  report,
  reported,
  requires,
  run,
  VMCB,
  vmcb,
  type VmcbFields,
  written,
} from "./_vmcb.ts";

/** The four pointers of PAE paging. */
const POINTERS = 0xa000;

const rows: Record<string, Omit<VmcbFields, "rip">> = {
  "svm-off": { efer: 0xd00n },
  "address-space-0": { asid: 0 },
  "vmrun-not-intercepted": { vmrunNotIntercepted: true },
  "cr0-not-write-through": { cr0: 0xa0010031n },
  "cr0-high": { cr0: 0x180010031n },
  "cr4-reserved": { cr4: 0x8020n },
  "cr4-high": { cr4: 0x100000020n },
  "dr6-high": { dr6: 0x1ffff0ff0n },
  "dr7-high": { dr7: 0x100000400n },
  "efer-reserved": { efer: 0x1d02n },
  "long-mode-without-pae": { cr4: 0x0n },
  "long-mode-without-protection": { cr0: 0x80010030n },
  "cr3-beyond-physical": { cr3: 1n << 51n | 0x10000n },
  "cr4-high-bit-63": { cr4: 1n << 63n | 0x20n },
  "cr0-high-bit-63": { cr0: 1n << 63n | 0x80010031n },
  "dr6-high-bit-63": { dr6: 1n << 63n | 0xffff0ff0n },
  "dr7-high-bit-63": { dr7: 1n << 63n | 0x400n },
  "efer-high": { efer: 1n << 63n | 0x1d00n },
  // Without long mode: a 32-bit code segment.
  "cr3-beyond-physical-legacy": {
    efer: 0x1000n,
    cr4: 0n,
    cr3: 1n << 51n | 0x10000n,
    other: { 0x410: 0xffffffff_0c9b_0028n },
  },
  // PAE paging, of whose four pointers the third has a reserved bit.
  "pae-pointer-reserved": {
    efer: 0x1000n,
    cr3: BigInt(POINTERS),
    other: { 0x410: 0xffffffff_0c9b_0028n },
  },
  // L and D both.
  "code-segment-long-and-32-bit": { other: { 0x410: 0xffffffff_0e9b_0028n } },
  "port-map-beyond-physical": { portMap: 1n << 51n },
  "port-map-end-beyond-physical": { portMap: (1n << 40n) - 0x2000n },
  "msr-map-beyond-physical": { msrMap: 1n << 51n },
  "msr-map-end-beyond-physical": { msrMap: (1n << 40n) - 0x1000n },
  "nested-root-beyond-physical": { nestedCr3: 1n << 51n },
  "nested-root-bit-40": { nestedCr3: 1n << 48n },
};

/** A guest state that is illegal is refused by VMRUN with the exit code -1. */
export default defineCases("nested-svm/invalid", rows, (fields) => ({
  spec: "APM 2 15.5.1: basic operation (canonicalization and consistency checks)",
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${run}
    ${report}
    nested:
    vmmcall
    out 0xee, al
  `,
  drive: ({ write, labels }) => {
    write(POINTERS, new Uint8Array(BigUint64Array.of(0n, 0n, 3n, 0n).buffer));
    write(VMCB, vmcb({ rip: labels.get("nested")!, second: 2, ...fields }));
  },
  trace: `
    ${reported(0xffffffffffffffffn, "*", "*", "*")}
    hlt
    = rflags 0x46
    ${written}
  `,
}));
