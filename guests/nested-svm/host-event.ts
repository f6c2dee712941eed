import { asm, defineCases, type DriveContext } from "../../mod.ts";
import { complete, completed, prepared, prepareSmm, savedAnything } from "../smm/_smram.ts";
import * as smm from "../smm/_smram.ts";
import {
  different,
  differentSaved,
  machine,
  report,
  reported,
  requires,
  run,
  VMCB,
  vmcb,
  written,
} from "./_vmcb.ts";

interface Row {
  first: number;
  act: (context: DriveContext) => void;
  exits: string;
  /** The exit code that the hypervisor gets, or nothing more comes. */
  code: number | "shutdown";
  /** RIP of the exit: what comes next in the guest, or its VMMCALL. */
  at?: "next" | "at";
  /** Hypervisor and guest have nothing in common. */
  different?: true;
  /** CR4.MCE of the hypervisor. */
  machineCheck?: true;
  state?: string;
}

/** KVM_VCPUEVENT_VALID_TRIPLE_FAULT. */
const VALID_TRIPLE_FAULT = 0x20;

const tripleFault = ({ vcpu }: DriveContext) => {
  const events = vcpu.events();
  vcpu.setEvents({
    ...events,
    flags: events.flags | VALID_TRIPLE_FAULT,
    triple_fault: { pending: 1 },
  });
};

const rows: Record<string, Row> = {
  "smi-intercepted": {
    first: 1 << 2,
    act: ({ vcpu }) => vcpu.smi(),
    exits: "> smi",
    code: 0x62,
    at: "next",
    // The hypervisor has its GIF clear still.
    state: "= smi.pending 0x1",
  },
  "smi-passed": {
    first: 0,
    act: ({ vcpu }) => vcpu.smi(),
    exits: "> smi",
    code: 0x81,
    at: "at",
    machineCheck: true,
  },
  "smi-passed-without-machine-check": {
    first: 0,
    act: ({ vcpu }) => vcpu.smi(),
    exits: "> smi",
    code: 0x81,
    at: "at",
  },
  "smi-passed-different": {
    first: 0,
    act: ({ vcpu }) => vcpu.smi(),
    exits: "> smi",
    code: 0x81,
    at: "at",
    different: true,
    machineCheck: true,
    state: `= dr6 *\n${differentSaved}`,
  },
  "triple-fault-intercepted": {
    first: 0x80000000,
    act: tripleFault,
    exits: "> set-events",
    code: 0x7f,
    at: "next",
  },
  "triple-fault-passed": {
    first: 0,
    act: tripleFault,
    exits: "> set-events",
    code: "shutdown",
  },
};

/** SMI and shutdown while a hypervisor's guest runs. */
export default defineCases("nested-svm/host-event", rows, (row) => ({
  spec: [
    "APM 2 15.13.3: SMI intercept; 15.14.3: shutdown intercept",
    "APM 2 15.22: SMM support",
    "KVM API 4.32: KVM_SET_VCPU_EVENTS",
  ],
  mode: "long",
  requires: [
    ...requires,
    ...smm.requires,
    "KVM_CAP_X86_TRIPLE_FAULT_EVENT",
  ],
  machine: { ...machine, cr4: { set: row.machineCheck ? 0x40n : 0n } },
  prepare: (vm) => vm.enableCapability("KVM_CAP_X86_TRIPLE_FAULT_EVENT", 1),
  guest: asm`
    ${run}
    ${report}
    nested:
    mov esi, 0x1234
    out 0x20, al
    next:
    nop
    cmp esi, 0x1234
    jne wrong
    mov eax, 0
    at:
    vmmcall
    wrong:
    out 0xee, al
    handler:
    rsm
    handler_end:
  `,
  drive: (context) => {
    const { run, write, labels } = context;
    prepareSmm(context);
    write(
      VMCB,
      vmcb({
        rip: labels.get("nested")!,
        rax: 0x77n,
        first: row.first,
        second: 2,
        ...row.different && different,
      }),
    );
    run();
    complete(context);
    row.act(context);
  },
  trace: (labels) => `
    ${prepared}
    pio out 0x20 u8 0x77
    ${completed}
    ${row.exits}
    ${
    row.code === "shutdown"
      ? "shutdown"
      : `${reported(row.code, 0n, 0n, labels[row.at!])}\nhlt\n= rflags 0x46\n= rsi 0x1234`
  }
    ${row.first === 0 && row.code !== "shutdown" ? savedAnything : ""}
    ${row.state ?? ""}
    ${written}
  `,
}));
