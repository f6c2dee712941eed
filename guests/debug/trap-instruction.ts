import { asm, defineCases } from "../../mod.ts";
import { registers, stepped } from "./_instructions.ts";

/**
 * With TF set the guest's #DB comes behind the instruction, also when a hypervisor carries it out:
 * DR6.BS says why, and the flags pushed have TF.
 */
export default defineCases(
  "debug/trap-instruction",
  stepped,
  ({ instruction, exits = "", state = "", requires }) => ({
    spec: ["SDM 3B 18.3.1.4: single-step exception condition", "SDM 3B 18.2.3: DR6 (BS)"],
    mode: "long",
    requires: requires ? [requires] : [],
    handlers: { 1: "handler" },
    registers,
    guest: asm`
      push 0x9d7
      popfq
      ${instruction}
      next:
      out 0xee, al
      handler:
      mov r8, dr6
      pop r9
      hlt
    `,
    trace: ({ next }) => {
      const pushed = /mem 0x7ff8/.test(state) ? 8 : 0;
      const frame = 0x7fd8 - (pushed ? 16 : 0);
      return `
        ${exits}
        hlt
        ${state.replace(/= rsp .*\n/, "").replace(/= mem 0x7ff8.*/, "")}
        = r8 0xffff4ff0
        = dr6 0xffff4ff0
        = r9 ${next}
        = rflags 0x8d7
        = rsp 0x${(frame + 8).toString(16)}
        = mem 0x${frame.toString(16)} u64 [${next} 0x28 0x9d7 ${pushed ? "0x7ff8" : "0x8000"} 0x30${
        pushed ? " * 0x1122334455667788" : " "
      }]
      `.replace(" ]", "]");
    },
  }),
);
