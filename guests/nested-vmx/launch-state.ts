import { asm, defineCases } from "../../mod.ts";
import {
  afterExits,
  DATA,
  exitFields,
  flushed,
  hypervisor,
  machine,
  prepare,
  quadwords,
  recorded,
  requires,
  revision,
} from "./_vmx.ts";

/** Another VMCS, where a pointer to it is, and where the outcome is written. */
const OTHER = 0xf000, POINTER = 0xa080, OUTCOME = 0xe100;

interface Row {
  /** What is done with the VMCS that has been launched. */
  code: string;
  /** The error number that it ends with. */
  error: number;
  /** The VMCS has been written to memory, as has the other one. */
  written?: "first" | "both";
}

const first = `[${DATA + 8}]`, other = `[${POINTER}]`;

const rows: Record<string, Row> = {
  "launch-launched": { code: "vmlaunch", error: 4 },
  "load-again-launch": { code: `vmptrld ${first}\nvmlaunch`, error: 4 },
  "clear-resume": {
    code: `vmclear ${first}\nvmptrld ${first}\nvmresume`,
    error: 5,
    written: "first",
  },
  // Its launch state is kept while another one is current.
  "other-launch": {
    code: `vmptrld ${other}\nvmptrld ${first}\nvmlaunch`,
    error: 4,
    written: "both",
  },
  // VMCLEAR makes one clear that is not current, and leaves the current one as it is.
  "other-clear-resume": {
    code: `vmptrld ${other}\nvmclear ${first}\nvmptrld ${first}\nvmresume`,
    error: 5,
    written: "both",
  },
  "clear-other-launch": { code: `vmclear ${other}\nvmlaunch`, error: 4 },
  // One that was never launched.
  "other-resume": { code: `vmptrld ${other}\nvmresume`, error: 5, written: "first" },
};

/** A VMCS is launched once, and resumed only then; VMCLEAR makes it clear again. */
export default defineCases("nested-vmx/launch-state", rows, ({ code, error, written }) => ({
  spec: [
    "SDM 3C 25.11.3: initializing a VMCS",
    "SDM 3C 31.3: VMCLEAR, VMLAUNCH, VMRESUME",
    "SDM 3C 31.4: error numbers",
  ],
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${
    hypervisor({
      ending: `
      ${code}
      pushfq
      pop rax
      mov [${OUTCOME}], rax
      mov eax, 0x4400
      vmread [${OUTCOME + 8}], rax
      mov eax, 0
      hlt
    `,
    })
  }
    nested:
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    context.write(OTHER, revision(context));
    context.write(POINTER, quadwords([OTHER]));
    prepare(context);
    context.run();
  },
  trace: ({ nested }) => `
    hlt
    ${recorded([{ exitReason: 18, guestRip: nested, instructionLength: 3 }], exitFields)}
    = mem 0x7ff8 u64 0x42
    = mem 0x${OUTCOME.toString(16)} u64 [0x42 0x${error.toString(16)}]
    ${afterExits.replace("0x46", "0x2")}
    ${written ? flushed : ""}
    ${written === "both" ? flushed.replace("0xc008", "0xf008") : ""}
  `,
}));
