/** System-management mode: where its memory lies, and the handler in it. */

import type { DriveContext, Requirement } from "../../mod.ts";

/** SMBASE, in a slot of its own above the guest's memory. */
export const SMBASE = 0x200000;
/** Slot 1 of the address space that a vCPU in SMM sees, the second. */
const SMRAM_SLOT = 0x10001;
/** Where the processor saves its state: 512 bytes, in AMD64's layout (APM 2 table 10-1). */
export const SAVED = SMBASE + 0xfe00;

/** What a host must have. */
export const requires: readonly Requirement[] = [
  "KVM_CAP_X86_SMM",
  { capability: "KVM_CAP_MULTI_ADDRESS_SPACE", atLeast: 2 },
];

/**
 * Gives the guest SMRAM and the vCPU its SMBASE, and has SMM begin with the handler: 16-bit code,
 * between the labels `handler` and `handler_end` of a guest that is perhaps not, so what differs is
 * spelled in bytes there.
 */
export function prepareSmm(
  { vm, vcpu, read, write, labels }: DriveContext,
  base: number = SMBASE,
): void {
  vm.memory.addRam(base, 0x10000, { slot: SMRAM_SLOT });
  const [start, end] = ["handler", "handler_end"].map((label) => Number(labels.get(label)));
  write(base + 0x8000, read(start, end - start));
  vcpu.setMsrs([{ index: 0x9e, data: BigInt(base) }]);
}

/** MOV dword [CS:offset], value in 16-bit code. */
export function store(offset: number, value: number): string {
  return `
    db 0x2e, 0x66, 0xc7, 0x06
    dw ${offset}
    dd ${value}
  `;
}

/** What {@link prepareSmm} adds to a trace. */
export const prepared = `
  > slot 0x10001 gpa=0x200000 size=0x10000
  > set-msrs msr.0x9e=0x200000 -> 0x1
`;

/** Lets a pending OUT complete, so that what comes now comes behind it. */
export function complete({ vcpu, run }: DriveContext): void {
  vcpu.immediateExit = true;
  run();
  vcpu.immediateExit = false;
}

/** Prepares SMM and runs a guest past its first exit, an OUT: what comes now finds it at HLT. */
export function comeToHlt(context: DriveContext, base?: number): void {
  prepareSmm(context, base);
  context.run();
  complete(context);
}

/** What {@link complete} adds to a trace. */
export const completed = `
  > immediate-exit 0x1
  intr
  > immediate-exit 0x0
`;

/** The save area, of which nothing is said. */
export const savedAnything = `= mem 0x${SAVED.toString(16)} u64 [${Array(64).fill("*").join(" ")}]`;
