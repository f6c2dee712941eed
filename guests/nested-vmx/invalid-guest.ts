import { asm, defineCases } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import {
  afterExits,
  entry,
  hypervisor,
  machine,
  prepare,
  recorded,
  requires,
  VMCS,
} from "./_vmx.ts";

const noncanonical = 0x800000000000n;
const unusable = 0x10000;

interface Row {
  fields: Fields;
  /** SDM 3C 27.8: 2 are PDPTEs, 3 an NMI behind STI, 4 the VMCS link pointer. */
  qualification?: number;
}

const simple: Record<string, Fields> = {
  "cr0-numeric-error": { guestCr0: 0x80010011n },
  "cr0-protection": { guestCr0: 0x80010030n },
  "cr0-high": { guestCr0: 0x180010031n },
  "cr4-vmxe": { guestCr4: 0x20n },
  "cr4-reserved": { guestCr4: 0xa020n },
  "cr4-high": { guestCr4: 0x100002020n },
  "cr4-pae": { guestCr4: 0x2000n },
  "cr0-paging-of-64-bit": { guestCr0: 0x10031n },
  "cr3-beyond": { guestCr3: 0x10000000010000n },
  "debug-control": { guestDebugControl: 0x10000 },
  dr7: { guestDr7: 0x100000400n },
  "sysenter-esp": { guestSysenterEsp: noncanonical },
  "sysenter-eip": { guestSysenterEip: noncanonical },
  pat: { entryControls: entry(1 << 14), guestPat: 0x0007040600070402n },
  "pat-high": { entryControls: entry(1 << 14), guestPat: 0x0307040600070406n },
  "efer-reserved": { entryControls: entry(1 << 15), guestEfer: 0xd02n },
  "efer-not-active": { entryControls: entry(1 << 15), guestEfer: 0x900n },
  "efer-not-enabled": { entryControls: entry(1 << 15), guestEfer: 0xc00n },
  "tr-local": { guestTr: 0x6c },
  "ldtr-local": { guestLdtr: 0x4, guestLdtrAccess: 0x82 },
  "ss-privilege": { guestSs: 0x33 },
  "tr-base": { guestTrBase: noncanonical },
  "fs-base": { guestFsBase: noncanonical },
  "gs-base": { guestGsBase: noncanonical },
  "ldtr-base": { guestLdtrAccess: 0x82, guestLdtrBase: noncanonical },
  "cs-base-high": { guestCsBase: 0x100000000n },
  "ss-base-high": { guestSsBase: 0x100000000n },
  "ds-base-high": { guestDsBase: 0x100000000n },
  "es-base-high": { guestEsBase: 0x100000000n },
  "cs-type-data": { guestCsAccess: 0xa093 },
  "cs-not-accessed": { guestCsAccess: 0xa09a },
  "cs-system": { guestCsAccess: 0xa08b },
  "cs-not-present": { guestCsAccess: 0xa01b },
  "cs-unusable": { guestCsAccess: unusable | 0xa09b },
  "cs-privilege": { guestCsAccess: 0xa0fb },
  // Of code, L and D/B are not both 1 in IA-32e mode.
  "cs-long-and-big": { guestCsAccess: 0xe09b },
  "cs-granularity-limit": { guestCsAccess: 0x209b },
  "ss-type-code": { guestSsAccess: 0xc09b },
  "ss-privilege-level": { guestSsAccess: 0xc0f3 },
  "ss-not-present": { guestSsAccess: 0xc013 },
  "ds-not-accessed": { guestDsAccess: 0xc092 },
  "ds-execute-only": { guestDsAccess: 0xc099 },
  "ds-system": { guestDsAccess: 0xc083 },
  "es-not-present": { guestEsAccess: 0xc013 },
  "gs-granularity-limit": { guestGsAccess: 0x4093 },
  "tr-available": { guestTrAccess: 0x89 },
  "tr-16-bit": { guestTrAccess: 0x83 },
  "tr-code-or-data": { guestTrAccess: 0x9b },
  "tr-not-present": { guestTrAccess: 0xb },
  "tr-unusable": { guestTrAccess: unusable | 0x8b },
  "tr-granularity": { guestTrAccess: 0x808b },
  "ldtr-type": { guestLdtrAccess: 0x83 },
  "ldtr-not-present": { guestLdtrAccess: 0x2 },
  "gdtr-base": { guestGdtrBase: noncanonical },
  "idtr-base": { guestIdtrBase: noncanonical },
  "gdtr-limit": { guestGdtrLimit: 0x10000 },
  "idtr-limit": { guestIdtrLimit: 0x10000 },
  rip: { guestRip: noncanonical },
  "rflags-fixed-1": { guestRflags: 0 },
  "rflags-reserved": { guestRflags: 0xa },
  "rflags-high": { guestRflags: 0x100000002n },
  "rflags-virtual-8086-of-64-bit": { guestRflags: 0x20002 },
  // An external interrupt is not injected while interrupts are off.
  "inject-interrupt-masked": { entryInterruption: 0x80000030 },
  "activity-unknown": { activity: 4 },
  // Shutdown is a state that IA32_VMX_MISC does not offer.
  "activity-shutdown": { activity: 2 },
  "activity-halted-behind-sti": { activity: 1, interruptibility: 1, guestRflags: 0x202 },
  "activity-halted-privilege": {
    activity: 1,
    guestSsAccess: 0xc0f3,
    guestSs: 0x43,
    guestCsAccess: 0xa0fb,
    guestCs: 0x4b,
  },
  "interruptibility-reserved": { interruptibility: 0x20 },
  "interruptibility-both": { interruptibility: 3, guestRflags: 0x202 },
  "interruptibility-sti-masked": { interruptibility: 1 },
  "interruptibility-mov-ss-interrupt": {
    interruptibility: 2,
    guestRflags: 0x202,
    entryInterruption: 0x80000030,
  },
  "interruptibility-mov-ss-nmi": { interruptibility: 2, entryInterruption: 0x80000202 },
  "pending-debug-reserved": { pendingDebug: 0x10 },
  "pending-debug-high": { pendingDebug: 0x8000 },
  // With STI blocking and TF, a single-step trap is pending.
  "pending-debug-missing": { interruptibility: 2, guestRflags: 0x102 },
  "pending-debug-spurious": { interruptibility: 2, pendingDebug: 0x4000 },
};

const rows: Record<string, Row> = {};
for (const [name, fields] of Object.entries(simple)) rows[name] = { fields };
rows["link-pointer-unaligned"] = { fields: { vmcsLinkPointer: 0xf800 }, qualification: 4 };
rows["link-pointer-beyond"] = {
  fields: { vmcsLinkPointer: 0x800000000000f000n },
  qualification: 4,
};
// The VMCS that is current is no other one.
rows["link-pointer-current"] = { fields: { vmcsLinkPointer: VMCS }, qualification: 4 };
rows["link-pointer-revision"] = { fields: { vmcsLinkPointer: 0xf000 }, qualification: 4 };

/** A guest state that is invalid exits at once: VM entry has failed, with the host's state loaded. */
export default defineCases("nested-vmx/invalid-guest", rows, ({ fields, qualification = 0 }) => ({
  spec: [
    "SDM 3C 27.3.1: checks on the guest state area",
    "SDM 3C 27.8: VM-entry failures during or after loading guest state",
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
    prepare(context, {
      fields,
      reads: ["exitReason", "qualification", "vectoring", "entryInterruption", "guestRflags"],
    });
    context.run();
  },
  trace: `
    hlt
    ${
    recorded([{
      exitReason: 0x80000021,
      qualification,
      entryInterruption: fields.entryInterruption,
      guestRflags: fields.guestRflags ?? 2,
    }], ["exitReason", "qualification", "vectoring", "entryInterruption", "guestRflags"])
  }
    ${afterExits}
  `,
}));
