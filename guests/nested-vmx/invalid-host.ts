import { asm, defineCases } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import { entry, exit, failedEntry, hypervisor, machine, prepare, requires } from "./_vmx.ts";

const noncanonical = 0x800000000000n;

const rows: Record<string, Fields> = {
  "cr0-protection": { hostCr0: 0x80010030n },
  "cr0-numeric-error": { hostCr0: 0x80010011n },
  "cr0-paging": { hostCr0: 0x10031n },
  "cr0-high": { hostCr0: 0x180010031n },
  "cr4-vmxe": { hostCr4: 0x20n },
  "cr4-reserved": { hostCr4: 0xa020n },
  "cr4-high": { hostCr4: 0x100002020n },
  "cr4-pae": { hostCr4: 0x2000n },
  "cr3-beyond": { hostCr3: 0x10000000010000n },
  "sysenter-esp": { hostSysenterEsp: noncanonical },
  "sysenter-eip": { hostSysenterEip: noncanonical },
  pat: { exitControls: exit(1 << 19), hostPat: 0x0007040600070402n },
  "pat-high": { exitControls: exit(1 << 19), hostPat: 0x0807040600070406n },
  "efer-reserved": { exitControls: exit(1 << 21), hostEfer: 0xd02n },
  "efer-not-active": { exitControls: exit(1 << 21), hostEfer: 0x900n },
  "efer-not-enabled": { exitControls: exit(1 << 21), hostEfer: 0xc00n },
  // A hypervisor that runs in IA-32e mode returns to it.
  "address-space-size": { exitControls: exit() & ~0x200 },
  "address-space-size-of-guest": { exitControls: exit() & ~0x200, entryControls: entry() & ~0x200 },
  "cs-null": { hostCs: 0 },
  "tr-null": { hostTr: 0 },
  "fs-base": { hostFsBase: noncanonical },
  "gs-base": { hostGsBase: noncanonical },
  "tr-base": { hostTrBase: noncanonical },
  "gdtr-base": { hostGdtrBase: noncanonical },
  "idtr-base": { hostIdtrBase: noncanonical },
  rip: { hostRip: noncanonical },
};
for (const name of ["Cs", "Ss", "Ds", "Es", "Fs", "Gs", "Tr"] as const) {
  const selector = name === "Tr" ? 0x68 : name === "Cs" ? 0x28 : 0x30;
  rows[`${name.toLowerCase()}-privilege`] = { [`host${name}`]: selector | 3 };
  rows[`${name.toLowerCase()}-local`] = { [`host${name}`]: selector | 4 };
}

/** A host state that is invalid fails VM entry with error 8, and nothing of the guest is loaded. */
export default defineCases("nested-vmx/invalid-host", rows, (fields) => ({
  spec: [
    "SDM 3C 27.2.2: checks on host control registers, MSRs, and SSP",
    "SDM 3C 27.2.3: checks on host segment and descriptor-table registers",
    "SDM 3C 27.2.4: checks related to address-space size",
  ],
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${hypervisor()}
    nested:
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    prepare(context, { fields });
    context.run();
  },
  trace: failedEntry(8),
}));
