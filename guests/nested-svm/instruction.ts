import { asm, defineCases } from "../../mod.ts";
import { requires } from "./_vmcb.ts";

const instructions = {
  vmrun: "vmrun",
  vmload: "vmload",
  vmsave: "vmsave",
  stgi: "stgi",
  clgi: "clgi",
  invlpga: "invlpga",
  skinit: "skinit",
};

interface Row {
  instruction: string;
  enabled: boolean;
  privilege: 0 | 3;
  vector: 6 | 13;
}

const rows: Record<string, Row> = {};
for (const [name, instruction] of Object.entries(instructions)) {
  // Without EFER.SVME they are not there.
  rows[`${name}-disabled`] = { instruction, enabled: false, privilege: 0, vector: 6 };
  // And with it they are the kernel's; SKINIT needs more.
  if (name === "skinit") continue;
  rows[`${name}-user`] = { instruction, enabled: true, privilege: 3, vector: 13 };
}

/** SVM's instructions without EFER.SVME are #UD, and at CPL 3 #GP(0). */
export default defineCases("nested-svm/instruction", rows, (row) => ({
  spec: "APM 3: CLGI, INVLPGA, SKINIT, STGI, VMLOAD, VMRUN, VMSAVE (exceptions)",
  mode: "long",
  requires,
  machine: {
    privilege: row.privilege,
    ...(row.enabled && { efer: { set: 0x1000n } }),
  },
  handlers: { [row.vector]: "handler" },
  registers: { rax: 0xb000n },
  guest: asm`
    ${row.instruction}
    out 0x10, al
    handler:
    mov ebx, 0x30
    mov ss, ebx
    hlt
  `,
  trace: `
    hlt
    = rbx 0x30
    = rsp ${row.privilege === 3 ? "0x6fd0" : "0x7fd8"}
    ${
    row.privilege === 3
      ? `= mem 0x6fd0 u64 [0x0 0x8000 0x4b * 0x8000 0x43]
        = cs.selector 0x28
        = cs.access 0xa09b
        = ss.selector 0x30
        = ss.access 0xc093`
      : "= mem 0x7fd8 u64 [0x8000 0x28 * 0x8000 0x30]"
  }
  `,
}));
