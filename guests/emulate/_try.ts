/** One instruction that KVM's emulator runs, and all that it leaves, in whichever mode. */

import {
  asm,
  type CaseDefinition,
  type MachineOptions,
  type ModeName,
  type Registers,
  type Requirement,
} from "../../mod.ts";
import type { Way } from "../_ways.ts";

/** The state that is promised; a function gets the guest's labels. */
export type Promised = string | ((labels: Readonly<Record<string, string>>) => string);

/** What is tried. */
export interface Try {
  /** Default `"long"`. */
  readonly mode?: ModeName;
  readonly machine?: Omit<MachineOptions, "handlers">;
  readonly registers?: Partial<Registers>;
  /** Bytes by address. */
  readonly memory?: Readonly<Record<number, readonly number[]>>;
  /** Lines before it, which run as they are. */
  readonly before?: string;
  /** The instruction, at the label `faulting`; `next` is behind it. */
  readonly tried: string;
  /** Lines that run behind it. */
  readonly behind?: string;
  /** It raises this exception instead. */
  readonly fault?: {
    readonly vector: number;
    /** Absent where the exception has none. */
    readonly error?: number;
    /** RSP before it, default 0x8000. */
    readonly rsp?: number;
    /** RFLAGS before it, default 2. */
    readonly flags?: number;
    /** CS before it, where it is not the one that the mode starts in. */
    readonly cs?: number;
    /** SS before it, likewise. */
    readonly ss?: number;
  };
  readonly requires?: readonly Requirement[];
  /** MSRs that the host sets before. */
  readonly msrs?: readonly (readonly [index: number, data: bigint])[];
  readonly state?: Promised;
}

/** Where a guest that got through says so, so that CPL 3 can as well: no memory is there. */
const DONE = 0xd0000000;

const hex = (value: number) => `0x${value.toString(16)}`;

/** Guest, handlers and trace of a case that tries this. */
export function tryOne(
  row: Try,
  { prefix, requires }: Way,
): Pick<
  CaseDefinition,
  "mode" | "machine" | "registers" | "requires" | "handlers" | "guest" | "drive" | "trace"
> {
  const { mode = "long", machine, before = "", tried, behind = "", memory = {}, fault } = row;
  const { msrs = [] } = row;
  const user = machine?.privilege === 3;
  // A handler says by its port which exception it was; CPL 3 came to the kernel's stack for it.
  const entered = user && fault !== undefined;
  const end = mode === "real"
    ? "hlt"
    : mode === "long"
    ? "mov [r15], spl"
    : `mov [${hex(DONE)}], al`;
  return {
    mode,
    machine,
    requires: [...requires, ...(row.requires ?? [])],
    registers: { ...(mode === "long" ? { r15: BigInt(DONE) } : {}), ...row.registers },
    ...(fault === undefined ? {} : { handlers: { [fault.vector]: "handler" } }),
    guest: asm`
      ${before}
      ${prefix}
      faulting:
      ${tried}
      next:
      ${behind}
      ${end}
      handler:
      ${entered ? `mov ecx, ${mode === "long" ? 0x30 : 0x10}\nmov ss, ecx\nnop` : ""}
      out ${fault?.vector ?? 0xff}, al
    `,
    drive: ({ vcpu, write }) => {
      if (msrs.length > 0) vcpu.setMsrs(msrs.map(([index, data]) => ({ index, data })));
      for (const [address, bytes] of Object.entries(memory)) {
        write(Number(address), Uint8Array.from(bytes));
      }
    },
    trace: (labels) => {
      const state = typeof row.state === "function" ? row.state(labels) : row.state ?? "";
      const last = fault !== undefined
        ? `pio out ${hex(fault.vector)} u8 *`
        : mode === "real"
        ? "hlt"
        : `mmio write ${hex(DONE)} u8 *`;
      const set = msrs.map(([index, data]) => `msr.${hex(index)}=0x${data.toString(16)}`).join(" ");
      return `
        ${msrs.length > 0 ? `> set-msrs ${set} -> ${hex(msrs.length)}` : ""}
        ${last}
        ${fault === undefined ? "" : frame(mode, user, fault, labels.faulting)}
        ${state}
      `;
    },
  };
}

/** What the exception pushes, and where the stack is then. */
function frame(
  mode: ModeName,
  user: boolean,
  fault: NonNullable<Try["fault"]>,
  at: string,
): string {
  const { error, rsp = 0x8000, flags = 2, cs, ss } = fault;
  const code = error === undefined ? [] : [hex(error)];
  if (mode === "real") {
    const words = [at, hex(cs ?? 0), hex(flags)];
    return `= rsp ${hex(rsp - 6)}\n= rflags *\n= mem ${hex(rsp - 6)} u16 [${words.join(" ")}]`;
  }
  const long = mode === "long";
  const [codeSelector, dataSelector] = long
    ? (user ? [0x4b, 0x43] : [0x28, 0x30])
    : (user ? [0x1b, 0x23] : [0x8, 0x10]);
  // A fault's image of RFLAGS has RF set; whether that of general detection has, is left open.
  const image = fault.vector === 1 ? `${hex(flags)}|${hex(flags | 0x10000)}` : hex(flags | 0x10000);
  const words = [...code, at, hex(cs ?? codeSelector), image];
  if (long || user) words.push(hex(rsp), hex(ss ?? dataSelector));
  const size = long ? 8 : 4;
  const top = user ? 0x7000 : long ? rsp & ~0xf : rsp;
  const bottom = top - words.length * size;
  const kernel = long
    ? "= cs.selector 0x28\n= cs.access 0xa09b\n= ss.selector 0x30\n= ss.access 0xc093\n= rcx 0x30"
    : "= cs.selector 0x8\n= cs.access 0xc09b\n= ss.selector 0x10\n= ss.access 0xc093\n= rcx 0x10";
  return `
    = rsp ${hex(bottom)}
    = mem ${hex(bottom)} u${size * 8} [${words.join(" ")}]
    ${user ? kernel : ""}
  `;
}
