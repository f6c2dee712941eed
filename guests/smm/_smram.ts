/** System-management mode: where its memory lies, and the handler in it. */

import { assemble, type DriveContext, type Requirement } from "../../mod.ts";

/** SMBASE, in a slot of its own above the guest's memory. */
export const SMBASE = 0x200000;
/** Where SMM begins: 16-bit code. */
export const HANDLER = SMBASE + 0x8000;
/** Where the processor saves its state: 512 bytes, in AMD64's layout (APM 2 table 10-1). */
export const SAVED = SMBASE + 0xfe00;

/** What a host must have. */
export const requires: readonly Requirement[] = ["KVM_CAP_X86_SMM"];

/** Gives the guest SMRAM with a handler of 16-bit code, and the vCPU its SMBASE. */
export function prepareSmm({ vm, vcpu, write }: DriveContext, handler: string): void {
  vm.memory.addRam(SMBASE, 0x10000, { slot: 1 });
  write(HANDLER, assemble(handler, { bits: 16, origin: 0x8000 }).bytes);
  vcpu.setMsrs([{ index: 0x9e, data: BigInt(SMBASE) }]);
}

/** What {@link prepareSmm} adds to a trace. */
export const prepared = `
  > slot 0x1 gpa=0x200000 size=0x10000
  > set-msrs msr.0x9e=0x200000 -> 0x1
`;

/** Lets a pending OUT complete, so that what comes now comes behind it. */
export function complete({ vcpu, run }: DriveContext): void {
  vcpu.immediateExit = true;
  run();
  vcpu.immediateExit = false;
}

/** What {@link complete} adds to a trace. */
export const completed = `
  > immediate-exit 0x1
  intr
  > immediate-exit 0x0
`;

/** The save area, of which nothing is said. */
export const savedAnything = `= mem 0x${SAVED.toString(16)} u64 [${Array(64).fill("*").join(" ")}]`;
