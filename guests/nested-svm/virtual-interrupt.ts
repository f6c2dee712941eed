import { asm, defineCases } from "../../mod.ts";
import { machine, report, reported, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

/** Offset 0x60 of the VMCB: V_TPR in bits 7 to 0, V_INTR_PRIO in 19 to 16. */
const [V_IRQ, V_INTR_MASKING] = [1n << 8n, 1n << 24n];
const [V_GIF, V_GIF_ENABLE] = [1n << 9n, 1n << 25n];
const priority = (value: bigint) => value << 16n;
/** The intercept of the moment when a virtual interrupt could be taken. */
const VINTR = 1 << 4;
const IF = 0x202n;

interface Row {
  control: bigint;
  rflags?: bigint;
  first?: number;
  code: string;
  /** The guest is left before its first instruction. */
  intercepted?: true;
  /** V_TPR, V_IRQ and V_GIF in the end. */
  left: bigint;
  /** It needs virtual GIF. */
  gif?: true;
  state?: string;
  exits?: string;
}

const asked = V_IRQ | priority(3n);

const rows: Record<string, Row> = {
  masked: { control: asked, code: "nop", left: V_IRQ },
  "none-asked": { control: priority(3n), rflags: IF, code: "nop", left: 0n },
  "window-intercepted": {
    control: asked,
    rflags: IF,
    first: VINTR,
    code: "nop",
    intercepted: true,
    left: V_IRQ,
  },
  "window-masked": { control: asked, first: VINTR, code: "nop", left: V_IRQ },
  // With V_GIF_ENABLE the guest's CLGI and STGI are about V_GIF.
  "clear-own-gif": { control: V_GIF_ENABLE | V_GIF, code: "clgi", left: 0n, gif: true },
  "set-own-gif": { control: V_GIF_ENABLE, code: "stgi", left: V_GIF, gif: true },
  "keep-own-gif": { control: V_GIF_ENABLE | V_GIF, code: "nop", left: V_GIF, gif: true },
  // The guest's CR8 is above the interrupt's priority, and then is not.
  "task-priority-above": {
    control: asked | V_INTR_MASKING | 4n,
    rflags: IF,
    code: "nop",
    left: V_IRQ | 4n,
  },
  // Without V_INTR_MASKING the guest's CR8 is the hypervisor's.
  "task-priority-shared": {
    control: 0n,
    code: "mov eax, 9\nmov cr8, rax",
    left: 9n,
    state: "= cr8 0x9",
  },
  // The guest's CR8 is its own.
  "task-priority-own": {
    control: V_INTR_MASKING | 5n,
    code: "mov rax, cr8\nout 0x20, eax\nmov eax, 9\nmov cr8, rax",
    left: 9n,
    exits: "pio out 0x20 u32 0x5",
  },
};

/** The virtual interrupt that a VMCB asks for, and the guest's task priority. */
export default defineCases("nested-svm/virtual-interrupt", rows, (row) => ({
  spec: [
    "APM 2 15.21: interrupt and local APIC support (V_IRQ, V_TPR, V_INTR_MASKING)",
    "APM 2 15.33: VMRUN, STGI and CLGI with virtual GIF",
  ],
  mode: "long",
  requires: [...requires, ...row.gif ? [{ cpuid: "VGIF" } as const] : []],
  machine,
  guest: asm`
    ${run}
    ${report}
    nested:
    ${row.code}
    at:
    vmmcall
    out 0xee, al
  `,
  drive: ({ write, labels }) =>
    write(
      VMCB,
      vmcb({
        rip: labels.get("nested")!,
        rflags: row.rflags,
        first: row.first,
        second: 2,
        other: { 0x60: row.control | 0x30n << 32n },
      }),
    ),
  trace: ({ at, nested }) => `
    ${row.exits ?? ""}
    ${row.intercepted ? reported(0x64, 0n, 0n, nested) : reported(0x81, 0n, 0n, at)}
    hlt
    = rflags 0x46
    = mem 0xb060 u64 0x${((row.control & ~0x3ffn | row.left) | 0x30n << 32n).toString(16)}
    ${row.state ?? ""}
    ${written}
  `,
}));
