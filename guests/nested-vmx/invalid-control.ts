import { asm, defineCases } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import {
  entry,
  exit,
  failedEntry,
  hypervisor,
  machine,
  pin,
  prepare,
  Processor,
  processor,
  requires,
  Secondary,
  secondary,
} from "./_vmx.ts";

const beyond = 0x8000000000000000n;
const ept = (pointer: bigint | number, more = 0): Fields => ({
  ...secondary(Secondary.ept | more),
  eptPointer: pointer,
});
/** An event to inject: vector, type, whether an error code is delivered. */
const event = (vector: number, type: number, error = false) =>
  (0x80000000 | vector | type << 8 | (error ? 0x800 : 0)) >>> 0;

const rows: Record<string, Fields> = {
  // Bits that have to be 1, and bits that no processor has.
  "pin-default1": { pinControls: pin() & ~0x10 },
  "pin-reserved": { pinControls: pin(1 << 31) },
  "processor-default1": { processorControls: processor() & ~0x100 },
  "processor-reserved": { processorControls: processor(1) },
  "secondary-reserved": secondary(1 << 29),
  "exit-default1": { exitControls: exit() & ~0x10 },
  "exit-reserved": { exitControls: exit(1 << 27) },
  "entry-default1": { entryControls: entry() & ~0x10 },
  "entry-reserved": { entryControls: entry(1 << 30) },
  "cr3-targets": { cr3TargetCount: 0x200 },
  "io-bitmap-a-unaligned": {
    processorControls: processor(Processor.ioBitmaps),
    ioBitmapA: 0xf800,
    ioBitmapB: 0xf000,
  },
  "io-bitmap-b-unaligned": {
    processorControls: processor(Processor.ioBitmaps),
    ioBitmapA: 0xf000,
    ioBitmapB: 0xf001,
  },
  "io-bitmap-beyond": {
    processorControls: processor(Processor.ioBitmaps),
    ioBitmapA: beyond | 0xf000n,
    ioBitmapB: 0xf000,
  },
  "msr-bitmap-unaligned": { processorControls: processor(Processor.msrBitmaps), msrBitmap: 0xf008 },
  "msr-bitmap-beyond": {
    processorControls: processor(Processor.msrBitmaps),
    msrBitmap: beyond | 0xf000n,
  },
  "virtual-apic-unaligned": {
    processorControls: processor(Processor.tprShadow),
    virtualApicAddress: 0xf800,
  },
  "virtual-apic-beyond": {
    processorControls: processor(Processor.tprShadow),
    virtualApicAddress: beyond | 0xf000n,
  },
  "tpr-threshold-reserved": {
    processorControls: processor(Processor.tprShadow),
    virtualApicAddress: 0xf000,
    tprThreshold: 0x10,
  },
  // The task priority in the page is 0.
  "tpr-threshold-above": {
    processorControls: processor(Processor.tprShadow),
    virtualApicAddress: 0xf000,
    tprThreshold: 1,
  },
  "x2apic-without-tpr-shadow": secondary(Secondary.x2apic),
  "x2apic-and-accesses": {
    ...secondary(Secondary.x2apic | Secondary.apicAccesses, Processor.tprShadow),
    virtualApicAddress: 0xf000,
    apicAccessAddress: 0xd0000000,
  },
  "apic-registers-without-tpr-shadow": secondary(Secondary.apicRegisters),
  "interrupt-delivery-without-interrupt-exiting": {
    ...secondary(Secondary.interruptDelivery, Processor.tprShadow),
    virtualApicAddress: 0xf000,
  },
  "apic-access-unaligned": {
    ...secondary(Secondary.apicAccesses),
    apicAccessAddress: 0xfee00800,
  },
  "apic-access-beyond": {
    ...secondary(Secondary.apicAccesses),
    apicAccessAddress: beyond | 0xfee00000n,
  },
  "virtual-nmis-without-nmi-exiting": { pinControls: pin(1 << 5) },
  "nmi-window-without-virtual-nmis": {
    pinControls: pin(1 << 3),
    processorControls: processor(Processor.nmiWindow),
  },
  "vpid-zero": secondary(Secondary.vpid),
  "unrestricted-without-ept": secondary(Secondary.unrestricted),
  "pml-without-ept": { ...secondary(Secondary.pml), pmlAddress: 0xf000 },
  "save-timer-without-timer": { exitControls: exit(1 << 22) },
  "ept-memory-type": ept(0x10001d),
  "ept-walk-length": ept(0x100016),
  "ept-reserved-bit": ept(0x10009e),
  "ept-reserved-bit-11": ept(0x10081e),
  "ept-beyond": ept(beyond | 0x10001en),
  "shadow-read-bitmap-unaligned": {
    ...secondary(Secondary.vmcsShadowing),
    vmreadBitmap: 0xf800,
    vmwriteBitmap: 0xf000,
  },
  "shadow-write-bitmap-beyond": {
    ...secondary(Secondary.vmcsShadowing),
    vmreadBitmap: 0xf000,
    vmwriteBitmap: beyond | 0xf000n,
  },
  "exit-store-unaligned": { exitMsrStoreCount: 1, exitMsrStoreAddress: 0xf008 },
  "exit-store-beyond": { exitMsrStoreCount: 1, exitMsrStoreAddress: beyond | 0xf000n },
  "exit-load-unaligned": { exitMsrLoadCount: 1, exitMsrLoadAddress: 0xf001 },
  "exit-load-beyond": { exitMsrLoadCount: 1, exitMsrLoadAddress: beyond | 0xf000n },
  "entry-load-unaligned": { entryMsrLoadCount: 1, entryMsrLoadAddress: 0xf004 },
  "entry-load-beyond": { entryMsrLoadCount: 1, entryMsrLoadAddress: beyond | 0xf000n },
  "inject-type-reserved": { entryInterruption: event(0x30, 1) },
  "inject-nmi-vector": { entryInterruption: event(3, 2) },
  "inject-exception-vector": { entryInterruption: event(0x20, 3) },
  "inject-other-vector": { entryInterruption: event(1, 7) },
  "inject-reserved-bit": { entryInterruption: event(0x30, 0) | 0x1000 },
  "inject-error-code-missing": { entryInterruption: event(13, 3) },
  "inject-error-code-of-vector": { entryInterruption: event(6, 3, true) },
  "inject-error-code-of-interrupt": { entryInterruption: event(13, 0, true) },
  "inject-error-code-high": { entryInterruption: event(13, 3, true), entryErrorCode: 0x10000 },
  "inject-length-above-15": { entryInterruption: event(0x30, 4), entryInstructionLength: 16 },
  // IA32_VMX_MISC has no bit 30.
  "inject-length-zero": { entryInterruption: event(0x30, 4), entryInstructionLength: 0 },
  "inject-exception-length-above-15": {
    entryInterruption: event(3, 6),
    entryInstructionLength: 16,
  },
  "inject-privileged-length-above-15": {
    entryInterruption: event(1, 5),
    entryInstructionLength: 16,
  },
};
for (const [name, fields] of Object.entries(rows)) {
  for (const field of ["pinControls", "entryInterruption"] as const) {
    if (typeof fields[field] === "number") {
      rows[name] = { ...rows[name], [field]: fields[field] as number >>> 0 };
    }
  }
}
// In real mode nothing has an error code.
rows["inject-error-code-in-real-mode"] = {
  ...secondary(Secondary.ept | Secondary.unrestricted),
  eptPointer: 0x10001e,
  guestCr0: 0x30,
  entryControls: entry() & ~0x200,
  entryInterruption: event(13, 3, true),
};

/** A control that is invalid fails VM entry with error 7, and nothing of the state is loaded. */
export default defineCases("nested-vmx/invalid-control", rows, (fields) => ({
  spec: "SDM 3C 27.2.1: checks on VMX controls",
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
  trace: failedEntry(7),
}));
