import { asm, defineCases } from "../../mod.ts";
import {
  machine,
  reported,
  reportExit,
  requires,
  run,
  VMCB,
  vmcb,
  type VmcbFields,
  written,
} from "./_vmcb.ts";

/** Another VMCB. */
const OTHER = 0xd000;
/** The clean field with every bit set: nothing has changed since the last VMRUN of this VMCB. */
const ALL_CLEAN = { 0xc0: 0xffffffffn };

const outs = [
  "pushfq\npop rax",
  "xor eax, eax\nmov ax, ds",
  "sgdt [0xa000]\nmov eax, [0xa002]",
  "sidt [0xa000]\nmov eax, [0xa002]",
  "mov rax, dr6",
  "mov rax, dr7",
  "mov rax, cr2",
  "mov rax, cr4",
  "mov rax, cr0",
  "mov ecx, 0xc0000080\nrdmsr",
];

interface State {
  fields: Omit<VmcbFields, "rip">;
  /** What it makes the guest put out. */
  sees: readonly string[];
}

const first: State = {
  fields: {},
  sees: ["0x30", "0x1000", "0x2000", "0xffff0ff0", "0x400", "0x0", "0x20", "0x80010031", "0x1d00"],
};
const second: State = {
  fields: {
    dr6: 0xffff4ff1n,
    // No breakpoint: QEMU would leave it armed for whoever comes next.
    dr7: 0x700n,
    cr4: 0x6b8n,
    cr0: 0x8005003bn,
    efer: 0x1d01n,
    rflags: 0xcd7n,
    asid: 2,
    other: {
      0x430: 0xffffffff_0c93_0038n,
      0x460: 0x1234_0000_0000n,
      0x468: 0x5555n,
      0x480: 0x1234_0000_0000n,
      0x488: 0x6666n,
      0x640: 0x7777n,
    },
  },
  sees: [
    "0x38",
    "0x5555",
    "0x6666",
    "0xffff4ff1",
    "0x700",
    "0x7777",
    "0x6b8",
    "0x8005003b",
    "0x1d01",
  ],
};
const saw = ({ sees, fields }: State) =>
  [`0x${(fields.rflags ?? 2n).toString(16)}`, ...sees]
    .map((value, number) => `pio out 0x${(0x20 + number).toString(16)} u32 ${value}`).join("\n");
const clean = ({ fields, ...state }: State): State => ({
  ...state,
  fields: { ...fields, other: { ...fields.other, ...ALL_CLEAN } },
});

interface Row {
  /** The VMCBs that are run one behind another: where, and what in it, where it is written anew. */
  runs: readonly { at: number; state: State }[];
}

const rows: Record<string, Row> = {
  // Nothing is clean: every field counts anew.
  changed: { runs: [{ at: VMCB, state: first }, { at: VMCB, state: second }] },
  "changed-back": { runs: [{ at: VMCB, state: second }, { at: VMCB, state: first }] },
  // All is clean, and has not changed.
  clean: { runs: [{ at: VMCB, state: second }, { at: VMCB, state: clean(second) }] },
  // What is clean in one VMCB says nothing of what another has left.
  "other-clean": { runs: [{ at: VMCB, state: first }, { at: OTHER, state: clean(second) }] },
  "other-clean-back": { runs: [{ at: VMCB, state: second }, { at: OTHER, state: clean(first) }] },
};

/** A second VMRUN, of the same VMCB or of another, loads what is in it then. */
export default defineCases("nested-svm/run-again", rows, ({ runs }) => {
  const last = runs[1].state;
  return {
    spec: ["APM 2 15.5.1: VMRUN (loading guest state)", "APM 2 15.15: VMCB state caching"],
    mode: "long",
    requires,
    machine: { ...machine, map: [] },
    guest: asm`
      ${run}
      ${reportExit}
      out 0x30, al
      mov eax, ${runs[1].at}
      vmrun
      mov rax, dr7
      out 0x31, eax
      mov eax, 0
      mov ebx, 0
      mov ecx, 0
      mov edx, 0
      hlt
      nested:
      ${
      outs.map((code, number) => `${code}\nout 0x${(0x20 + number).toString(16)}, eax`).join("\n")
    }
      mov eax, 0
      at:
      vmmcall
    `,
    drive: ({ write, run, labels }) => {
      const put = (number: number) =>
        write(
          runs[number].at,
          vmcb({ rip: labels.get("nested")!, second: 2, ...runs[number].state.fields }),
        );
      put(0);
      for (let exit = 0; exit < outs.length + 7; exit++) run();
      put(1);
    },
    trace: ({ at }) => `
      ${saw(runs[0].state)}
      ${reported(0x81, 0n, 0n, at)}
      pio out 0x30 u8 *
      ${saw(last)}
      pio out 0x31 u32 0x400
      hlt
      = mem 0xa000 u8 [* * * * * * *]
      = mem 0x7bf8 u64 *
      = cr2 *
      = dr6 *
      = rflags *
      = mem 0x${OTHER.toString(16)} u64 [${Array(512).fill("*").join(" ")}]
      ${written}
    `,
  };
});
