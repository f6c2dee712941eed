import { asm, defineCases } from "../../mod.ts";
import type { FieldName, Fields } from "./_fields.ts";
import {
  after,
  exit,
  exitFields,
  type ExpectedExit,
  hypervisor,
  machine,
  pin,
  prepare,
  Processor,
  processor,
  recorded,
  requires,
  unblockNmis,
} from "./_vmx.ts";

interface Row {
  /** What the host does when the nested guest asks for it, by OUT to port 0x11. */
  raise?: "interrupt" | "nmi";
  /** What the hypervisor does before it launches. */
  before?: string;
  fields: Fields;
  code: string;
  exits: readonly ExpectedExit[];
  /** Whether the nested guest takes it, and whether the hypervisor takes it at the end. */
  taken?: "guest" | "hypervisor";
  state?: string;
}

const interruptExiting = pin(1);
const nmiExiting = pin(1 << 3);
const virtualNmis = pin(1 << 3 | 1 << 5);
const ask = "out 0x11, al";
const on = { guestRflags: 0x202 };
const called: ExpectedExit = { exitReason: 18, instructionLength: 3, guestRip: "called" };

/** The hypervisor sends itself an interrupt, at once or in 30 ms, or an INIT. */
const sendInterrupt = "mov dword [rbp + 0x300], 0x40030";
const startTimer = `
  mov dword [rbp + 0x3e0], 0xb
  mov dword [rbp + 0x320], 0x30
  mov dword [rbp + 0x380], 30000000
`;
const sendInit = "mov dword [rbp + 0x310], 0\nmov dword [rbp + 0x300], 0x4500";

const rows: Record<string, Row> = {
  // External-interrupt exiting is for masked interrupts too; not acknowledged, it stays pending.
  "interrupt-exits": {
    raise: "interrupt",
    fields: { pinControls: interruptExiting },
    code: `${ask}\nat:\nnop`,
    exits: [{ exitReason: 1, guestRip: "at" }],
    taken: "hypervisor",
  },
  "interrupt-exits-unmasked": {
    raise: "interrupt",
    fields: { pinControls: interruptExiting, ...on },
    code: `${ask}\nat:\nnop`,
    exits: [{ exitReason: 1, guestRip: "at" }],
    taken: "hypervisor",
  },
  "interrupt-acknowledged": {
    raise: "interrupt",
    fields: { pinControls: interruptExiting, exitControls: exit(1 << 15) },
    code: `${ask}\nat:\nnop`,
    exits: [{ exitReason: 1, guestRip: "at", exitInterruption: 0x80000030 }],
  },
  "interrupt-of-guest": {
    raise: "interrupt",
    fields: on,
    code: `${ask}\nat:\nnop\nmov esi, 0\ncalled:\nvmcall`,
    exits: [called],
    taken: "guest",
  },
  "interrupt-masked-in-guest": {
    raise: "interrupt",
    fields: {},
    code: `${ask}\nnop\ncalled:\nvmcall`,
    exits: [called],
    taken: "hypervisor",
  },
  "nmi-exits": {
    raise: "nmi",
    fields: { pinControls: nmiExiting },
    code: `${ask}\nat:\nnop`,
    exits: [{ exitReason: 0, guestRip: "at", exitInterruption: 0x80000202 }],
  },
  "nmi-of-guest": {
    raise: "nmi",
    fields: {},
    code: `${ask}\nat:\nnop\ncalled:\nvmcall`,
    exits: [called],
    taken: "guest",
  },
  "interrupt-window": {
    fields: { processorControls: processor(Processor.interruptWindow), ...on },
    code: "at:\nnop",
    exits: [{ exitReason: 7, guestRip: "at" }],
  },
  // The window opens behind the instruction behind STI.
  "interrupt-window-sti": {
    fields: { processorControls: processor(Processor.interruptWindow) },
    code: "nop\nsti\nnop\nat:\nnop",
    exits: [{ exitReason: 7, guestRip: "at" }],
  },
  "interrupt-window-closed": {
    fields: { processorControls: processor(Processor.interruptWindow) },
    code: "nop\nnop\ncalled:\nvmcall",
    exits: [called],
  },
  "interrupt-window-popf": {
    fields: { processorControls: processor(Processor.interruptWindow) },
    code: "push 0x202\npopfq\nat:\nnop",
    exits: [{ exitReason: 7, guestRip: "at" }],
    state: "= mem 0x7bf8 u64 0x202",
  },
  "nmi-window": {
    fields: { pinControls: virtualNmis, processorControls: processor(Processor.nmiWindow) },
    code: "at:\nnop",
    exits: [{ exitReason: 8, guestRip: "at" }],
  },
  // Virtual NMIs are blocked until IRET.
  "nmi-window-iret": {
    fields: {
      pinControls: virtualNmis,
      processorControls: processor(Processor.nmiWindow),
      interruptibility: 8,
    },
    code: "push 0x30\npush 0x7c00\npush 2\npush 0x28\npush at\niretq\nat:\nnop",
    exits: [{ exitReason: 8, guestRip: "at" }],
    state: "= mem 0x7bd8 u64 [* 0x28 0x2 0x7c00 0x30]",
  },
  "preemption-timer-zero": {
    fields: { pinControls: pin(1 << 6), preemptionTimer: 0 },
    code: "at:\nnop\nnop\ncalled:\nvmcall",
    exits: [{ exitReason: 52, guestRip: "at" }],
  },
  "preemption-timer-saved": {
    fields: { pinControls: pin(1 << 6), preemptionTimer: 0, exitControls: exit(1 << 22) },
    code: "at:\nnop",
    exits: [{ exitReason: 52, guestRip: "at", preemptionTimer: 0 }],
  },
  "preemption-timer-not-saved": {
    fields: { pinControls: pin(1 << 6), preemptionTimer: 0xffffffff },
    code: "nop\ncalled:\nvmcall",
    exits: [{ ...called, preemptionTimer: 0xffffffff }],
  },
  // Pending at entry already, it exits before the first instruction.
  "interrupt-pending": {
    before: sendInterrupt,
    fields: { pinControls: interruptExiting },
    code: "at:\nnop",
    exits: [{ exitReason: 1, guestRip: "at" }],
    taken: "hypervisor",
  },
  // What STI blocks it blocks before VMLAUNCH, and not behind the exit.
  "interrupt-pending-sti": {
    before: `${sendInterrupt}\nsti`,
    fields: { pinControls: interruptExiting },
    code: "at:\nnop",
    exits: [{ exitReason: 1, guestRip: "at" }],
    taken: "hypervisor",
  },
  "interrupt-pending-acknowledged": {
    before: sendInterrupt,
    fields: { pinControls: interruptExiting, exitControls: exit(1 << 15) },
    code: "at:\nnop",
    exits: [{ exitReason: 1, guestRip: "at", exitInterruption: 0x80000030 }],
  },
  // The activity state is the one before the exit, and the hypervisor is not halted.
  "interrupt-halted": {
    before: startTimer,
    fields: { pinControls: interruptExiting, activity: 1 },
    code: "at:\nnop",
    exits: [{ exitReason: 1, guestRip: "at", activity: 1 }],
    taken: "hypervisor",
  },
  "interrupt-pending-of-guest": {
    before: sendInterrupt,
    fields: on,
    code: "at:\nnop\ncalled:\nvmcall",
    exits: [called],
    taken: "guest",
  },
  // INIT is blocked in VMX operation, but for a guest, where it exits.
  "init-pending": {
    before: sendInit,
    fields: {},
    code: "at:\nnop",
    exits: [{ exitReason: 3, guestRip: "at" }],
  },
  // A window wakes what would be halted.
  "interrupt-window-halted": {
    fields: { processorControls: processor(Processor.interruptWindow), activity: 1, ...on },
    code: "at:\nnop",
    exits: [{ exitReason: 7, guestRip: "at", activity: "*" }],
  },
  "nmi-window-halted": {
    fields: {
      pinControls: virtualNmis,
      processorControls: processor(Processor.nmiWindow),
      activity: 1,
    },
    code: "at:\nnop",
    exits: [{ exitReason: 8, guestRip: "at", activity: "*" }],
  },
  // Halted at entry, the guest runs its first instruction when an NMI of the hypervisor's comes.
  "halted-injected-nmi": {
    fields: { activity: 1, entryInterruption: 0x80000202 },
    code: "at:\nnop\ncalled:\nvmcall",
    exits: [{ ...called, interruptibility: 0 }],
    taken: "guest",
  },
};

const reads: readonly FieldName[] = [
  ...exitFields,
  "activity",
  "interruptibility",
  "preemptionTimer",
];

/** Interrupts, NMIs, windows and the timer leave the guest between two instructions, or are its own. */
export default defineCases("nested-vmx/event", rows, (row) => {
  const { taken } = row;
  return {
    spec: [
      "SDM 3C 26.2: other causes of VM exits",
      "SDM 3C 26.5.1: VMX-preemption timer",
      "SDM 3C 28.1: architectural state before a VM exit",
    ],
    mode: "long",
    irqchip: "kernel",
    requires,
    machine,
    handlers: { 2: "handler", 0x30: "handler" },
    registers: { rbp: 0xfee00000n },
    guest: asm`
      mov dword [rbp + 0xf0], 0x1ff
      ${
      hypervisor({
        launch: `${row.before ?? ""}\nvmlaunch`,
        ending: `
        mov dword [rbp + 0xb0], 0
        ${unblockNmis}
        push 0x202
        popfq
        nop
        cli
        out 0xf4, al
      `,
      })
    }
      handler:
      inc ebx
      mov dword [rbp + 0xb0], 0
      iretq
      nested:
      ${row.code}
      out 0xee, al
    `,
    drive: (context) => {
      prepare(context, { fields: row.fields, reads });
      context.run();
      if (row.raise === undefined) return;
      if (row.raise === "nmi") context.vcpu.nmi();
      else context.vm.irq.signalMsi({ address: 0xfee00000n, data: 0x30 });
      context.run();
    },
    trace: (labels) => {
      const exits = row.exits.map((exit) => ({
        instructionLength: "*",
        preemptionTimer: "*",
        ...exit,
        guestRip: labels[exit.guestRip as string],
      }));
      return `
      ${row.raise ? "pio out 0x11 u8 0x0" : ""}
      ${row.raise === "nmi" ? "> nmi" : ""}
      ${row.raise === "interrupt" ? "> msi address=0xfee00000 data=0x30 -> 0x1" : ""}
      pio out 0xf4 u8 0x0
      ${recorded(exits, reads)}
      ${taken ? `= rbx 0x1` : ""}
      ${taken === "guest" ? "= mem 0x7bd8 u64 [* 0x28 * 0x7c00 0x30]" : ""}
      ${
        taken === "hypervisor"
          ? "= mem 0x7fd8 u64 [* 0x28 0x202 0x8000 0x30]"
          : "= mem 0x7fd8 u64 [* 0x28 0x2 0x8000 0x202]"
      }
      ${row.state ?? ""}
      ${after(2)}
    `;
    },
  };
});
