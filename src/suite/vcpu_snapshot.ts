/** The state of a vCPU by name, as the `=` lines of a trace spell it. */
import type { DebugRegisters, Registers, SystemRegisters, VcpuEvents } from "../x86/state.ts";
import { initialXsave, nameFloatingPoint } from "./floating_point.ts";
import type { Start } from "./processor.ts";
import { CR0, type Segment } from "../x86/registers.ts";

/** What KVM tells of a vCPU. */
export interface VcpuReading {
  readonly regs: Registers;
  readonly sregs: SystemRegisters;
  readonly events: VcpuEvents;
  readonly debugRegs: DebugRegisters;
  /** KVM_GET_MP_STATE; absent where the host has no KVM_CAP_MP_STATE. */
  readonly mpState?: number;
  /** The XSAVE area; absent where the host has no KVM_CAP_XSAVE. */
  readonly xsave?: Uint8Array;
}

/** What of a vCPU this host's KVM can be asked for. */
export interface Readable {
  /** KVM_CAP_MP_STATE. */
  readonly mpState: boolean;
  /** KVM_CAP_XSAVE. */
  readonly xsave: boolean;
}

/** Values by name. */
export type Snapshot = ReadonlyMap<string, bigint>;

const segmentNames = ["cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt"] as const;
const tableNames = ["gdt", "idt"] as const;
const controlNames = ["cr0", "cr2", "cr3", "cr4", "cr8", "efer"] as const;

/**
 * Names every value of a reading: registers by their own names, `cs.selector`, `cs.base`,
 * `cs.limit` and `cs.access` (the attributes in the format of VMX access rights, SDM 3C 25.4.1),
 * `gdt.base`, `gdt.limit`, `apic-base`, `dr0` and on, the registers of x87 and SSE
 * ({@link nameFloatingPoint}), and the waiting events.
 */
export function snapshotOf(reading: VcpuReading): Snapshot {
  const { regs, sregs, events, debugRegs, mpState, xsave } = reading;
  const values = new Map<string, bigint>();
  for (const name in regs) values.set(name, regs[name as keyof Registers]);
  for (const name of segmentNames) nameSegment(values, name, sregs[name]);
  // Real mode has no use for the type of CS: a CPU may call it code, or data as RESET does.
  if ((sregs.cr0 & CR0.PE) === 0n) values.set("cs.access", values.get("cs.access")! & ~0xfn);
  for (const name of tableNames) {
    values.set(`${name}.base`, sregs[name].base);
    values.set(`${name}.limit`, BigInt(sregs[name].limit));
  }
  for (const name of controlNames) values.set(name, sregs[name]);
  values.set("apic-base", sregs.apic_base);
  debugRegs.db.forEach((address, index) => values.set(`dr${index}`, address));
  values.set("dr6", debugRegs.dr6);
  values.set("dr7", debugRegs.dr7);
  nameEvents(values, events);
  if (mpState !== undefined) values.set("mp-state", BigInt(mpState));
  if (xsave !== undefined) nameFloatingPoint(values, xsave);
  return values;
}

/**
 * The snapshot to compare the end with: a vCPU has what was set, whatever KVM made of it, and what
 * nobody set as KVM tells it.
 */
export function snapshotAtStart(reading: VcpuReading, { regs, machine }: Start): Snapshot {
  const xsave = reading.xsave && initialXsave(reading.xsave.length);
  return snapshotOf({ ...reading, regs, sregs: { ...reading.sregs, ...machine.sregs }, xsave });
}

function nameSegment(values: Map<string, bigint>, name: string, segment: Segment): void {
  values.set(`${name}.selector`, BigInt(segment.selector));
  // A null selector leaves a segment unusable, which AMD's format spells not present.
  if (segment.unusable || segment.present === 0) {
    // The rest of an unusable segment is undefined (SDM 3C 25.4.1).
    values.set(`${name}.access`, 0x10000n);
    return;
  }
  values.set(`${name}.base`, segment.base);
  values.set(`${name}.limit`, BigInt(segment.limit));
  values.set(
    `${name}.access`,
    BigInt(
      segment.type | segment.s << 4 | segment.dpl << 5 | segment.present << 7 |
        segment.avl << 12 | segment.l << 13 | segment.db << 14 | segment.g << 15,
    ),
  );
}

function nameEvents(values: Map<string, bigint>, events: VcpuEvents): void {
  const { exception, interrupt, nmi, smi } = events;
  values.set("exception.injected", BigInt(exception.injected));
  values.set("exception.pending", BigInt(exception.pending));
  values.set("interrupt.injected", BigInt(interrupt.injected));
  values.set("interrupt.shadow", BigInt(interrupt.shadow));
  values.set("nmi.injected", BigInt(nmi.injected));
  values.set("nmi.pending", BigInt(nmi.pending));
  values.set("nmi.masked", BigInt(nmi.masked));
  values.set("smi.pending", BigInt(smi.pending));
  values.set("smi.smm", BigInt(smi.smm));
}
