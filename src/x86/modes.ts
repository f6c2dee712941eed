/** The states a guest can start in, one per CPU mode. */

import {
  encodeGdt,
  encodeIdt,
  encodeRealModeVectors,
  encodeTaskState,
  type Handlers,
  loadSegment,
  type PortRange,
  selectors,
  unexpectedVectorCode,
} from "./descriptor_tables.ts";
import { realModeSegment, unusableSegment } from "./descriptors.ts";
import { memoryMap } from "./memory_map.ts";
import { type PageMapping, PageTables } from "./paging.ts";
import {
  CR0,
  CR4,
  EFER,
  type ModeName,
  type PagingMode,
  RFLAGS,
  type Segment,
  type SpecialRegisters,
} from "./registers.ts";

/** Options that contradict the mode they are given for. */
export class MachineOptionsError extends Error {
  /** The class's name. */
  override readonly name = "MachineOptionsError";
}

/** Bits to add to a register and bits to take away; a bit in both is cleared. */
export interface BitChange {
  /** Bits to set. */
  readonly set?: bigint;
  /** Bits to clear. */
  readonly clear?: bigint;
}

/** What a case changes about the state its mode starts in. */
export interface MachineOptions {
  /** CPL to start at; 3 takes user segments and, with paging, user pages. Default 0. */
  readonly privilege?: 0 | 3;
  /** I/O ports that the TSS allows whatever the CPL; default none. Not in real mode. */
  readonly ioPorts?: readonly (number | PortRange)[];
  /** Interrupt and exception handlers by vector; default none, see {@linkcode machineState}. */
  readonly handlers?: Handlers;
  /** Raw 8-byte descriptors by GDT selector, for segments the GDT does not have. */
  readonly descriptors?: Readonly<Record<number, bigint>>;
  /** Mappings over the identity map of the first 4 GiB, in order; modes with paging only. */
  readonly map?: readonly PageMapping[];
  /** Bits of CR0 to change. */
  readonly cr0?: BitChange;
  /** Bits of CR4 to change. */
  readonly cr4?: BitChange;
  /** Bits of EFER to change. */
  readonly efer?: BitChange;
  /** Bits of RFLAGS to change, such as IOPL or IF. */
  readonly rflags?: BitChange;
}

/** Bytes that belong at a guest-physical address. */
export interface ImagePart {
  /** Guest-physical address of the first byte. */
  readonly address: number;
  /** The bytes; shared by every equal state, so copy them and leave them alone. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A guest's memory and registers before its first instruction, frozen. */
export interface MachineState {
  /** The mode. */
  readonly mode: ModeName;
  /** Default operand size of the code at {@linkcode MachineState.rip}, for the assembler. */
  readonly bits: 16 | 32 | 64;
  /** Guest memory in bytes, from guest-physical address 0. */
  readonly memorySize: number;
  /** What memory holds; every byte not named is zero. It must be there before `KVM_SET_SREGS`. */
  readonly image: readonly ImagePart[];
  /** Special registers, for `KVM_SET_SREGS`. */
  readonly sregs: SpecialRegisters;
  /** Entry point, `memoryMap.code`'s first byte. */
  readonly rip: bigint;
  /** Top of `memoryMap.stack`. */
  readonly rsp: bigint;
  /** RFLAGS. */
  readonly rflags: bigint;
}

function changed(base: bigint, change: BitChange = {}): bigint {
  return (base | (change.set ?? 0n)) & ~(change.clear ?? 0n);
}

function isPaging(mode: ModeName): mode is PagingMode {
  return mode === "paged" || mode === "pae" || mode === "long";
}

function check(mode: ModeName, options: MachineOptions): void {
  const refuse = (option: string, why: string) => {
    throw new MachineOptionsError(`option ${option} in mode ${mode}: ${why}`);
  };
  if (!["real", "protected", "paged", "pae", "long"].includes(mode)) {
    throw new MachineOptionsError(
      `no mode is called ${mode}; use real, protected, paged, pae or long`,
    );
  }
  if (mode === "real" && options.privilege === 3) {
    refuse("privilege", "real mode runs at CPL 0; use another mode for CPL 3");
  }
  if (mode === "real" && options.ioPorts) {
    refuse("ioPorts", "real mode consults no TSS; leave it out");
  }
  if (!isPaging(mode) && options.map) {
    refuse("map", "paging is off; use paged, pae or long");
  }
}

const identityMaps = new Map<string, PageTables>();

/** Identity-maps the first 4 GiB: thousands of entries, made once for each mode and privilege. */
function identityMap(mode: PagingMode, user: boolean): PageTables {
  const key = `${mode} ${user}`;
  let tables = identityMaps.get(key);
  if (tables !== undefined) return tables;
  tables = new PageTables(mode, user);
  tables.map({ virtual: 0, physical: 0, size: 0x100000000 });
  // The guest's own memory gets 4 KiB pages, so that a case can change one without a split.
  const first = mode === "paged" ? 0x400000 : 0x200000;
  tables.map({ virtual: 0, physical: 0, size: first, pageSize: 0x1000 });
  identityMaps.set(key, tables);
  return tables;
}

function pageTables(mode: PagingMode, options: MachineOptions): PageTables {
  const tables = identityMap(mode, options.privilege === 3).copy();
  for (const mapping of options.map ?? []) tables.map(mapping);
  return tables;
}

function segments(
  mode: ModeName,
  gdt: Uint8Array,
  user: boolean,
): Pick<SpecialRegisters, "cs" | "ds" | "es" | "fs" | "gs" | "ss" | "tr" | "ldt"> {
  let code: Segment, data: Segment;
  if (mode === "real") {
    code = realModeSegment(0, "code");
    data = realModeSegment(0, "data");
  } else {
    const [codeSelector, dataSelector] = mode === "long"
      ? (user ? [selectors.userCode64, selectors.userData64] : [selectors.code64, selectors.data64])
      : (user
        ? [selectors.userCode32, selectors.userData32]
        : [selectors.code32, selectors.data32]);
    code = loadSegment(gdt, codeSelector, mode);
    data = loadSegment(gdt, dataSelector, mode);
  }
  // VM entry wants a busy TSS in TR in every mode, real mode included (SDM 3C 27.3.1.2).
  const tr = loadSegment(gdt, selectors.taskState, mode);
  return { cs: code, ds: data, es: data, fs: data, gs: data, ss: data, tr, ldt: unusableSegment };
}

function build(mode: ModeName, options: MachineOptions): MachineState {
  check(mode, options);
  const image: ImagePart[] = [];
  const put = ({ address }: { address: number }, bytes: Uint8Array<ArrayBuffer>) =>
    image.push(Object.freeze({ address, bytes }));

  const taskState = encodeTaskState(mode, options.ioPorts);
  const gdt = encodeGdt(mode, taskState.length, options.descriptors);
  let idt;
  if (mode === "real") {
    put(memoryMap.realModeVectors, encodeRealModeVectors(options.handlers ?? {}));
    put(memoryMap.unexpectedVector, unexpectedVectorCode);
    idt = { base: 0n, limit: options.handlers ? memoryMap.realModeVectors.size - 1 : 0 };
  } else {
    if (options.handlers) put(memoryMap.idt, encodeIdt(mode, options.handlers));
    idt = { base: BigInt(memoryMap.idt.address), limit: 256 * (mode === "long" ? 16 : 8) - 1 };
  }
  put(memoryMap.gdt, gdt);
  put(memoryMap.taskState, taskState);

  let cr0: bigint = CR0.ET, cr3 = 0n, cr4 = 0n, efer = 0n;
  if (mode !== "real") cr0 |= CR0.PE | CR0.NE;
  if (isPaging(mode)) {
    const tables = pageTables(mode, options);
    put(memoryMap.pageTables, tables.bytes());
    cr0 |= CR0.WP | CR0.PG;
    cr3 = tables.root;
    cr4 = mode === "paged" ? CR4.PSE : CR4.PAE;
    if (mode === "long") efer = EFER.LME | EFER.LMA;
    if (mode === "long" || tables.usesNoExecute) efer |= EFER.NXE;
  }
  const sregs: SpecialRegisters = Object.freeze({
    ...segments(mode, gdt, options.privilege === 3),
    gdt: Object.freeze({ base: BigInt(memoryMap.gdt.address), limit: gdt.length - 1 }),
    idt: Object.freeze(idt),
    cr0: changed(cr0, options.cr0),
    cr2: 0n,
    cr3,
    cr4: changed(cr4, options.cr4),
    cr8: 0n,
    efer: changed(efer, options.efer),
  });
  return Object.freeze({
    mode,
    bits: mode === "real" ? 16 : mode === "long" ? 64 : 32,
    memorySize: memoryMap.memory.size,
    image: Object.freeze(image),
    sregs,
    rip: BigInt(memoryMap.code.address),
    rsp: BigInt(memoryMap.stack.address + memoryMap.stack.size),
    rflags: changed(RFLAGS.FIXED, options.rflags),
  });
}

const remembered = new Map<string, MachineState>();
/** Bounds what generated guests, each with options of its own, can pile up. */
const rememberedLimit = 128;

/**
 * The state in which a guest of this mode starts: everything flat and identity-mapped where
 * `memoryMap` says, interrupts off, at CPL 0 with one stack. All accessed, dirty and busy bits are
 * preset, so that running changes no table in memory. Equal options give the same frozen object.
 *
 * An exception that no handler takes ends loudly. In protected and long mode its gate is not
 * present, which escalates to a triple fault (`KVM_EXIT_SHUTDOWN`). In real mode without `handlers`
 * the IDTR's limit is 0, which escalates likewise (SDM 3B 21.1.4); with `handlers`, even `{}`, the
 * limit is 0x3ff and every unnamed vector reports itself with one OUT to port 0xee and halts. A
 * host that ignores the limit ends at that OUT too.
 *
 * @throws {MachineOptionsError} when an option makes no sense in the mode.
 * @throws {DescriptorError} when a handler, a descriptor or a port cannot be encoded.
 * @throws {PageTableError} when a mapping cannot be made or the table pages do not suffice.
 *
 * @example
 * ```ts
 * import { machineState } from "@trapline/trapline";
 *
 * const state = machineState("long", { handlers: { 6: 0x8100 } });
 * console.log(state.bits, state.sregs.cs.l, state.rip); // 64 1 32768n
 * ```
 */
export function machineState(mode: ModeName, options: MachineOptions = {}): MachineState {
  const key = mode + JSON.stringify(
    options,
    (_, value) => typeof value === "bigint" ? `${value}n` : value,
  );
  let state = remembered.get(key);
  if (!state) {
    state = build(mode, options);
    if (remembered.size >= rememberedLimit) remembered.delete(remembered.keys().next().value!);
    remembered.set(key, state);
  }
  return state;
}

/** A fresh copy of all of a state's memory, as a guest finds it before its code is put in. */
export function initialMemory(state: MachineState): Uint8Array<ArrayBuffer> {
  const memory = new Uint8Array(state.memorySize);
  for (const { address, bytes } of state.image) memory.set(bytes, address);
  return memory;
}
