import { asm, defineCases, type MachineOptions, type ModeName } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";

interface Row {
  mode: ModeName;
  machine?: Omit<MachineOptions, "handlers">;
  instruction: string;
  msrs: readonly (readonly [index: number, data: bigint])[];
  registers?: Record<string, bigint>;
  /** A #UD or #GP at the instruction instead. */
  fault?: 6 | 13;
  state: (labels: Readonly<Record<string, string>>) => string;
}

/** STAR: SYSCALL loads CS 0x28 and SS 0x30, SYSRET CS 0x3b + 0x10 and SS 0x3b + 8. */
const STAR = 0x3b_0028n << 32n;

const rows: Record<string, Row> = {
  "syscall-user": {
    mode: "long",
    machine: { privilege: 3, efer: { set: 0x1n }, rflags: { set: 0x8d7n } },
    instruction: "syscall",
    msrs: [[0xc0000081, STAR], [0xc0000082, 0x8100n], [0xc0000084, 0x8d5n]],
    state: ({ behind }) => `
      = rcx ${behind}
      = r11 0x8d7
      = rflags 0x2
      = cs.selector 0x28
      = cs.access 0xa09b
      = ss.selector 0x30
      = ss.access 0xc093
    `,
  },
  // From CPL 0 as well.
  "syscall-kernel": {
    mode: "long",
    machine: { efer: { set: 0x1n }, rflags: { set: 0x8d7n } },
    instruction: "syscall",
    msrs: [[0xc0000081, STAR], [0xc0000082, 0x8100n], [0xc0000084, 0x80n]],
    state: ({ behind }) => `
      = rcx ${behind}
      = r11 0x8d7
      = rflags 0x857
    `,
  },
  "syscall-disabled": {
    mode: "long",
    instruction: "syscall",
    msrs: [],
    fault: 6,
    state: () => "",
  },
  "sysenter-user": {
    mode: "protected",
    machine: { privilege: 3, rflags: { set: 0xd7n } },
    instruction: "sysenter",
    msrs: [[0x174, 0x8n], [0x175, 0x7f00n], [0x176, 0x8100n]],
    state: () => `
      = rsp 0x7f00
      = rflags 0xd7
      = cs.selector 0x8
      = cs.access 0xc09b
      = ss.selector 0x10
      = ss.access 0xc093
    `,
  },
  // RPL of the MSR does not count.
  "sysenter-rpl": {
    mode: "protected",
    instruction: "sysenter",
    msrs: [[0x174, 0xbn], [0x175, 0x7f00n], [0x176, 0x8100n]],
    state: () => "= rsp 0x7f00",
  },
  "sysenter-null": {
    mode: "protected",
    instruction: "sysenter",
    msrs: [[0x174, 0x0n]],
    fault: 13,
    state: () => "",
  },
  sysexit: {
    mode: "protected",
    instruction: "sysexit",
    registers: { rdx: 0x8100n, rcx: 0x7e00n },
    msrs: [[0x174, 0x8n]],
    state: () => `
      = rsp 0x7e00
      = cs.selector 0x1b
      = cs.access 0xc0fb
      = ss.selector 0x23
      = ss.access 0xc0f3
    `,
  },
  "sysexit-null": {
    mode: "protected",
    instruction: "sysexit",
    msrs: [[0x174, 0x0n]],
    fault: 13,
    state: () => "",
  },
};

/** Fast calls into the kernel and out of it: what they load, save and mask. */
export default defineCases("emulate/fast-call", inBothWays(rows), ({ row, way }) => {
  const { mode, machine, instruction, msrs, registers, fault, state } = row;
  return {
    spec: ["SDM 2B: SYSCALL, SYSENTER, SYSEXIT", "APM 3: SYSCALL"],
    mode,
    requires: way.requires,
    machine,
    handlers: fault ? { [fault]: "handler" } : undefined,
    registers: { rdi: 0xd0000000n, ...registers },
    guest: asm`
      ${way.prefix}
      faulting:
      ${instruction}
      behind:
      out 0xee, al
      handler:
      mov bl, 1
      mov [${mode === "long" ? "rdi" : "edi"} + 4], bl
    `,
    drive: ({ vcpu, write }) => {
      if (msrs.length > 0) vcpu.setMsrs(msrs.map(([index, data]) => ({ index, data })));
      // The entry point: MOV byte [rDI], 1 in either mode.
      write(0x8100, Uint8Array.of(0xc6, 0x07, 1));
    },
    trace: (labels) => `
      ${
      msrs.length > 0
        ? `> set-msrs ${
          msrs.map(([index, data]) => `msr.0x${index.toString(16)}=0x${data.toString(16)}`).join(
            " ",
          )
        } -> 0x${msrs.length}`
        : ""
    }
      ${
      fault === undefined
        ? "mmio write 0xd0000000 u8 0x1"
        : `mmio write 0xd0000004 u8 0x1\n= rbx 0x1\n${
          mode === "long"
            ? `= rsp 0x7fd8\n= mem 0x7fd8 u64 [${labels.faulting} 0x28 0x10002 0x8000 0x30]`
            : `= rsp 0x7ff0\n= mem 0x7ff0 u32 [0x0 ${labels.faulting} 0x8 0x10002]`
        }`
    }
      ${state(labels)}
    `,
  };
});
