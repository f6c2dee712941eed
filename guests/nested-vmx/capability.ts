import { asm, defineCases } from "../../mod.ts";
import {
  failedEntry,
  hypervisor,
  machine,
  prepare,
  Processor,
  processor,
  requires,
} from "./_vmx.ts";
import type { FieldName, Fields } from "./_fields.ts";

interface Row {
  msr: number;
  /** What the host makes of the value that the vCPU has at first. */
  change: (value: bigint) => bigint;
  accepted: boolean;
  /** A VM entry that the value forbids: fields, and the error number. */
  forbids?: readonly [fields: Fields, error: number];
}

const bit = (number: number) => 1n << BigInt(number);
/** Takes from the controls that may be 1. */
const without = (number: number) => (value: bigint) => value & ~bit(32 + number);
const adding = (number: number) => (value: bigint) => value | bit(number);
const clearing = (number: number) => (value: bigint) => value & ~bit(number);

const rows: Record<string, Row> = {
  "basic-same": { msr: 0x480, change: (value) => value, accepted: true },
  "basic-revision": { msr: 0x480, change: (value) => value ^ 1n, accepted: false },
  "basic-reserved-31": { msr: 0x480, change: adding(31), accepted: false },
  "basic-reserved-56": { msr: 0x480, change: adding(57), accepted: false },
  "basic-32-bit-addresses": { msr: 0x480, change: adding(48), accepted: false },
  "basic-no-port-information": { msr: 0x480, change: clearing(54), accepted: true },
  "basic-no-true-controls": { msr: 0x480, change: clearing(55), accepted: true },
  "basic-smaller-region": { msr: 0x480, change: (value) => value - bit(32), accepted: false },
  "pin-direct": { msr: 0x481, change: (value) => value, accepted: false },
  "processor-direct": { msr: 0x482, change: (value) => value, accepted: false },
  "exit-direct": { msr: 0x483, change: (value) => value, accepted: false },
  "entry-direct": { msr: 0x484, change: (value) => value, accepted: false },
  "misc-same": { msr: 0x485, change: (value) => value, accepted: true },
  "misc-timer-rate": { msr: 0x485, change: (value) => value ^ 1n, accepted: false },
  "misc-more-cr3-targets": { msr: 0x485, change: (value) => value + bit(16), accepted: false },
  "misc-more-msrs": { msr: 0x485, change: (value) => value + bit(25), accepted: false },
  "misc-mseg": { msr: 0x485, change: (value) => value + bit(32), accepted: false },
  "misc-reserved": { msr: 0x485, change: adding(9), accepted: false },
  "misc-shutdown": { msr: 0x485, change: adding(7), accepted: false },
  "misc-no-halted": { msr: 0x485, change: clearing(6), accepted: true },
  "cr0-fixed0-more": { msr: 0x486, change: adding(16), accepted: true },
  "cr0-fixed0-less": { msr: 0x486, change: clearing(0), accepted: false },
  "cr0-fixed1": { msr: 0x487, change: (value) => value, accepted: false },
  "cr4-fixed0-more": {
    msr: 0x488,
    change: adding(5),
    accepted: true,
  },
  "cr4-fixed0-less": { msr: 0x488, change: clearing(13), accepted: false },
  "cr4-fixed1": { msr: 0x489, change: (value) => value, accepted: false },
  "fields-highest": { msr: 0x48a, change: () => 0x40n, accepted: true },
  "secondary-less": {
    msr: 0x48b,
    change: without(6),
    accepted: true,
    forbids: [{ processorControls: processor(-0x80000000), secondaryControls: 1 << 6 }, 7],
  },
  "secondary-more": { msr: 0x48b, change: adding(32 + 29), accepted: false },
  "secondary-must-be-1": {
    msr: 0x48b,
    change: adding(2),
    accepted: true,
    forbids: [{ processorControls: processor(-0x80000000) }, 7],
  },
  "ept-less": { msr: 0x48c, change: clearing(0), accepted: true },
  "ept-more": { msr: 0x48c, change: adding(2), accepted: false },
  "vpid-more": { msr: 0x48c, change: adding(33), accepted: false },
  "ept-no-write-back": {
    msr: 0x48c,
    change: clearing(14),
    accepted: true,
    forbids: [{
      processorControls: processor(-0x80000000),
      secondaryControls: 2,
      eptPointer: 0x10001e,
    }, 7],
  },
  "ept-no-accessed-and-dirty": {
    msr: 0x48c,
    change: clearing(21),
    accepted: true,
    forbids: [{
      processorControls: processor(-0x80000000),
      secondaryControls: 2,
      eptPointer: 0x10005e,
    }, 7],
  },
  "true-pin-less": {
    msr: 0x48d,
    change: without(0),
    accepted: true,
    forbids: [{ pinControls: 0x17 }, 7],
  },
  "true-pin-more": { msr: 0x48d, change: adding(32 + 31), accepted: false },
  "true-pin-must-be-1": {
    msr: 0x48d,
    change: adding(0),
    accepted: true,
    forbids: [{}, 7],
  },
  "true-pin-may-be-0": { msr: 0x48d, change: clearing(1), accepted: false },
  "true-processor-less": {
    msr: 0x48e,
    change: without(7),
    accepted: true,
    forbids: [{ processorControls: processor(Processor.hlt) }, 7],
  },
  "true-processor-more": { msr: 0x48e, change: adding(32), accepted: false },
  "true-processor-may-be-0": { msr: 0x48e, change: clearing(1), accepted: false },
  "true-exit-less": {
    msr: 0x48f,
    change: without(15),
    accepted: true,
    forbids: [{ exitControls: 0x3efff }, 7],
  },
  "true-exit-more": { msr: 0x48f, change: adding(32 + 31), accepted: false },
  "true-entry-less": {
    msr: 0x490,
    change: without(14),
    accepted: true,
    forbids: [{ entryControls: 0x53ff, guestPat: 0x0007040600070406n }, 7],
  },
  "true-entry-more": { msr: 0x490, change: adding(32 + 31), accepted: false },
  "vm-functions-less": { msr: 0x491, change: () => 0n, accepted: true },
  "vm-functions-more": { msr: 0x491, change: adding(1), accepted: false },
};

/** The host may take VMX features away from a vCPU, and give it none that KVM has not. */
export default defineCases("nested-vmx/capability", rows, ({ msr, change, accepted, forbids }) => ({
  spec: [
    "KVM API 4.19: KVM_SET_MSRS",
    "SDM 3D A: VMX capability reporting facility",
    "arch/x86/kvm/vmx/nested.c: vmx_set_vmx_msr, where the document is silent",
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
    const { vm, vcpu, assertEquals } = context;
    const { observer } = vm;
    vm.observer = undefined;
    const read = () => vcpu.msrs([msr])[0].data;
    const first = read();
    const wanted = change(first);
    // KVM_SET_MSRS says how many of the MSRs it has set.
    assertEquals("MSRs set", vcpu.setMsrs([{ index: msr, data: wanted }]), accepted ? 1 : 0);
    assertEquals("the value", read(), accepted ? wanted : first);
    vm.observer = observer;
    const fields: Partial<Record<FieldName, bigint | number>> = forbids?.[0] ?? { hostCs: 0 };
    prepare(context, { fields });
    context.run();
  },
  // What forbids nothing gets to the check of the host's state.
  trace: failedEntry(forbids?.[1] ?? 8),
}));
