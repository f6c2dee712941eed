/** The GDT, the IDT or real-mode vector table, and the TSS a guest starts with. */

import {
  decodeSegmentDescriptor,
  DescriptorError,
  encodeGate,
  encodeGate64,
  encodeSegmentDescriptor,
  encodeSystemDescriptor64,
  systemType,
  unusableSegment,
} from "./descriptors.ts";
import { interruptStackSize, memoryMap } from "./memory_map.ts";
import type { ModeName, Segment } from "./registers.ts";

/**
 * Selectors of the GDT, RPL included. Neighbours are ordered as the fast system calls want them:
 * SYSENTER and SYSEXIT of 32-bit code from `code32`, of 64-bit code from `code64`; SYSCALL from
 * `code64` and SYSRET from `compatibilityCode` (SDM 3A 5.8.7 and 5.8.8). Slots from `0x78` to the
 * limit are free.
 */
export const selectors = {
  null: 0x0,
  code32: 0x8,
  data32: 0x10,
  userCode32: 0x1b,
  userData32: 0x23,
  code64: 0x28,
  data64: 0x30,
  compatibilityCode: 0x3b,
  userData64: 0x43,
  userCode64: 0x4b,
  sysexitData64: 0x53,
  code16: 0x58,
  data16: 0x60,
  taskState: 0x68,
} as const;

/** Whether the mode is IA-32e mode, with its 16-byte system descriptors and gates. */
function wide(mode: ModeName): boolean {
  return mode === "long";
}

function flat(kind: "code" | "data", dpl: number, width: 16 | 32 | 64): bigint {
  const big = width !== 16;
  // Accessed is preset, so that loading a segment register writes nothing to memory.
  return encodeSegmentDescriptor({
    base: 0n,
    limit: big ? 0xffffffff : 0xffff,
    type: kind === "code" ? 0xb : 0x3,
    s: 1,
    dpl,
    present: 1,
    avl: 0,
    l: width === 64 ? 1 : 0,
    db: width === 32 ? 1 : 0,
    g: big ? 1 : 0,
  });
}

/**
 * Encodes the GDT: `memoryMap.gdt.size` bytes, flat segments at {@linkcode selectors}, the TSS busy
 * with a 16-byte descriptor in `long` and a 32-bit one in every other mode.
 *
 * @param taskStateSize Size of the TSS in bytes, its I/O permission bitmap included.
 * @param extra Raw descriptors by selector (RPL ignored), 8 bytes each, put over what is there.
 * @throws {DescriptorError} when an extra descriptor is the null one's, a local one's, outside the
 * table or not 64 bits.
 */
export function encodeGdt(
  mode: ModeName,
  taskStateSize: number,
  extra: Readonly<Record<number, bigint>> = {},
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(memoryMap.gdt.size);
  const view = new DataView(bytes.buffer);
  const put = (selector: number, descriptor: bigint) =>
    view.setBigUint64(selector & ~7, descriptor, true);
  put(selectors.code32, flat("code", 0, 32));
  put(selectors.data32, flat("data", 0, 32));
  put(selectors.userCode32, flat("code", 3, 32));
  put(selectors.userData32, flat("data", 3, 32));
  put(selectors.code64, flat("code", 0, 64));
  put(selectors.data64, flat("data", 0, 32));
  put(selectors.compatibilityCode, flat("code", 3, 32));
  put(selectors.userData64, flat("data", 3, 32));
  put(selectors.userCode64, flat("code", 3, 64));
  put(selectors.sysexitData64, flat("data", 3, 32));
  put(selectors.code16, flat("code", 0, 16));
  put(selectors.data16, flat("data", 0, 16));
  const taskState = {
    base: BigInt(memoryMap.taskState.address),
    limit: taskStateSize - 1,
    // Busy is preset: VM entry demands it of TR, and LTR would have set it in memory.
    type: systemType.tss32Busy,
    s: 0,
    dpl: 0,
    present: 1,
    avl: 0,
    l: 0,
    db: 0,
    g: 0,
  };
  if (wide(mode)) {
    const [low, high] = encodeSystemDescriptor64(taskState);
    put(selectors.taskState, low);
    put(selectors.taskState + 8, high);
  } else put(selectors.taskState, encodeSegmentDescriptor(taskState));
  for (const [key, descriptor] of Object.entries(extra)) {
    const selector = Number(key);
    const fits = Number.isInteger(selector) && selector >= 8 && selector < memoryMap.gdt.size &&
      !(selector & 4);
    if (!fits || BigInt.asUintN(64, descriptor) !== descriptor) {
      throw new DescriptorError(
        `descriptor ${descriptor} at selector ${key}: give 64 bits at a GDT selector from 0x8 to 0x${
          (memoryMap.gdt.size - 1).toString(16)
        }`,
      );
    }
    put(selector, descriptor);
  }
  return bytes;
}

/**
 * The segment register that loading `selector` from this GDT gives; {@linkcode unusableSegment}'s
 * contents for a null selector.
 *
 * @throws {DescriptorError} when the selector is a local one or beyond the table.
 */
export function loadSegment(gdt: Uint8Array, selector: number, mode: ModeName): Segment {
  if (selector < 4) return unusableSegment;
  const at = selector & ~7;
  if (selector & 4 || at + 8 > gdt.length) {
    throw new DescriptorError(
      `selector 0x${selector.toString(16)} names no descriptor of a GDT of ${gdt.length} bytes`,
    );
  }
  const view = new DataView(gdt.buffer, gdt.byteOffset, gdt.length);
  const low = view.getBigUint64(at, true);
  const system = !(low >> 44n & 1n);
  const high = system && wide(mode) ? view.getBigUint64(at + 8, true) : undefined;
  return decodeSegmentDescriptor(low, selector, high);
}

/** A range of I/O ports, both ends included. */
export interface PortRange {
  /** First port, 0 to 0xffff. */
  readonly first: number;
  /** Last port, 0 to 0xffff. */
  readonly last: number;
}

/** End of interrupt stack `ist`, 1 to 7: the guest-physical address an IST entry holds. */
export function interruptStackTop(ist: number): number {
  const { address, size } = memoryMap.interruptStacks;
  return address + size - (ist - 1) * interruptStackSize;
}

/**
 * Encodes the TSS (SDM 3A 8.2.1 and 8.7): the stack for a switch to CPL 0, in `long` the seven
 * interrupt stacks, and, when `ports` is given, the I/O permission bitmap with a 0 for each of them.
 * Without the bitmap every port is refused to code whose CPL exceeds IOPL.
 *
 * @throws {DescriptorError} when a port is outside 0 to 0xffff or a range is empty.
 */
export function encodeTaskState(
  mode: ModeName,
  ports?: readonly (number | PortRange)[],
): Uint8Array<ArrayBuffer> {
  const base = memoryMap.taskState.size;
  const bytes = new Uint8Array(base + (ports ? memoryMap.ioPermissionBitmap.size : 0));
  const view = new DataView(bytes.buffer);
  const stackTop = memoryMap.privilegedStack.address + memoryMap.privilegedStack.size;
  view.setUint16(0x66, base, true);
  view.setUint32(0x4, stackTop, true);
  if (wide(mode)) {
    for (let ist = 1; ist <= 7; ist++) {
      view.setUint32(0x24 + (ist - 1) * 8, interruptStackTop(ist), true);
    }
  } else view.setUint16(0x8, selectors.data32, true);
  bytes.fill(0xff, base);
  for (const entry of ports ?? []) {
    const { first, last } = typeof entry === "number" ? { first: entry, last: entry } : entry;
    const valid = Number.isInteger(first) && Number.isInteger(last) && first >= 0 &&
      first <= last && last <= 0xffff;
    if (!valid) {
      throw new DescriptorError(
        `I/O ports ${first} to ${last}: give ports from 0 to 0xffff, the lower one first`,
      );
    }
    for (let port = first; port <= last; port++) bytes[base + (port >> 3)] &= ~(1 << (port & 7));
  }
  return bytes;
}

/** Where an interrupt or exception goes; a bare number or bigint is an offset alone. */
export interface Handler {
  /** Entry point: offset within the code segment, 16, 32 or 64 bits as the mode has. */
  readonly offset: number | bigint;
  /** Code segment: default the mode's CPL 0 code; in real mode the segment, default 0. */
  readonly selector?: number;
  /** Privilege that INT n, INT3 and INTO need, 0 to 3; default 0. */
  readonly dpl?: number;
  /** Interrupt stack, 1 to 7, in `long` alone; default 0, none. */
  readonly ist?: number;
  /** Kind of gate; a task gate takes `selector` alone. Default `interrupt`, which clears IF. */
  readonly type?: "interrupt" | "trap" | "task";
  /** Gate for 16-bit code instead of the mode's own size; not in `long`. */
  readonly size?: 16 | 32;
  /** 0 for a gate that is not present; default 1. */
  readonly present?: 0 | 1;
}

/** Handlers by vector, 0 to 255. */
export type Handlers = Readonly<Record<number, number | bigint | Handler>>;

/** Port to which real mode's unnamed vectors report, one byte: the vector. */
export const unexpectedVectorPort = 0xee;

const unexpectedSegment = memoryMap.unexpectedVector.address >> 4;

/**
 * What real mode's unnamed vectors run: `out 0xee, al` with the vector in AL, then a halt for good.
 * Every vector enters it at the same linear address through another CS, so CS tells the vector.
 */
export const unexpectedVectorCode: Readonly<Uint8Array<ArrayBuffer>> = Uint8Array.of(
  ...[0xb8, unexpectedSegment & 0xff, unexpectedSegment >> 8], // mov ax, segment of vector 0
  ...[0x8c, 0xc9], // mov cx, cs
  ...[0x29, 0xc8], // sub ax, cx
  ...[0xe6, unexpectedVectorPort], // out 0xee, al
  ...[0xfa, 0xf4, 0xeb, 0xfc], // cli; hlt; jmp to the cli
);

function vectors(handlers: Handlers): [number, Handler][] {
  return Object.entries(handlers).map(([key, value]) => {
    const vector = Number(key);
    if (!Number.isInteger(vector) || vector < 0 || vector > 255) {
      throw new DescriptorError(`handler of vector ${key}: vectors are 0 to 255`);
    }
    return [vector, typeof value === "object" ? value : { offset: value }];
  });
}

/**
 * Encodes real mode's interrupt vector table (SDM 3B 21.1.4), 256 far pointers of 4 bytes: the
 * named vectors' handlers, and {@linkcode unexpectedVectorCode} for every other vector.
 *
 * @throws {DescriptorError} when a vector, a segment or an offset does not fit, or a handler asks
 * for something only a gate has.
 */
export function encodeRealModeVectors(handlers: Handlers): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(memoryMap.realModeVectors.size);
  const view = new DataView(bytes.buffer);
  for (let vector = 0; vector < 256; vector++) {
    view.setUint16(vector * 4, vector << 4, true);
    view.setUint16(vector * 4 + 2, unexpectedSegment - vector, true);
  }
  for (const [vector, handler] of vectors(handlers)) {
    const { selector = 0, dpl, ist, type, size, present } = handler;
    if ([dpl, ist, type, size, present].some((given) => given !== undefined)) {
      throw new DescriptorError(
        `handler of vector ${vector}: real mode has no gates; give offset and selector alone`,
      );
    }
    const offset = Number(handler.offset);
    if (!(offset >= 0 && offset <= 0xffff && selector >= 0 && selector <= 0xffff)) {
      throw new DescriptorError(
        `handler of vector ${vector} at ${selector}:${offset}; both are 16 bits in real mode`,
      );
    }
    view.setUint16(vector * 4, offset, true);
    view.setUint16(vector * 4 + 2, selector, true);
  }
  return bytes;
}

/**
 * Encodes the IDT of a protected mode (SDM 3A 6.10): 256 gates of 8 bytes, 16 in `long`. A vector
 * nobody names has a gate that is not present, so that it ends in a triple fault.
 *
 * @throws {DescriptorError} when a vector is not 0 to 255, a field does not fit, or the mode has no
 * such gate.
 */
export function encodeIdt(
  mode: Exclude<ModeName, "real">,
  handlers: Handlers,
): Uint8Array<ArrayBuffer> {
  const width = wide(mode) ? 16 : 8;
  const bytes = new Uint8Array(256 * width);
  const view = new DataView(bytes.buffer);
  for (const [vector, handler] of vectors(handlers)) {
    const { type = "interrupt", size = 32 } = handler;
    if (wide(mode) && (type === "task" || handler.size !== undefined)) {
      throw new DescriptorError(
        `handler of vector ${vector}: long mode has neither task gates nor 16-bit gates`,
      );
    }
    const gate = {
      type: type === "task"
        ? systemType.taskGate
        : type === "interrupt"
        ? (size === 16 ? systemType.interruptGate16 : systemType.interruptGate32)
        : (size === 16 ? systemType.trapGate16 : systemType.trapGate32),
      selector: handler.selector ?? (wide(mode) ? selectors.code64 : selectors.code32),
      offset: BigInt(handler.offset),
      dpl: handler.dpl ?? 0,
      present: handler.present ?? 1,
      ist: handler.ist,
    };
    if (wide(mode)) {
      const [low, high] = encodeGate64(gate);
      view.setBigUint64(vector * 16, low, true);
      view.setBigUint64(vector * 16 + 8, high, true);
    } else view.setBigUint64(vector * 8, encodeGate(gate), true);
  }
  return bytes;
}
