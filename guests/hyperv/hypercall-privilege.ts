import { defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { ways } from "../_ways.ts";
import { type Try, tryOne } from "../emulate/_try.ts";
import { requires, underHyperv } from "./_hyperv.ts";

/** Where there are no hypercalls; where there are one is made, with a code that is not there. */
const rows: Record<string, Omit<Try, "tried">> = {
  "long": { registers: { rcx: 0x7fn }, state: "= rcx 0x7f\n= rax 0x2" },
  "long-at-3": { machine: { privilege: 3 }, fault: { vector: 6 } },
  "protected": {
    mode: "protected",
    registers: { rax: 0x7fn, rdx: 0n },
    state: "= rax 0x2\n= rdx 0x0",
  },
  "real": { mode: "real", fault: { vector: 6 } },
};

/** Hypercalls are for CPL 0 of protected mode: elsewhere there is no such instruction. */
export default defineCases("hyperv/hypercall-privilege", byEachCall(rows), ({ row, call }) => {
  const tried = tryOne({
    ...row,
    tried: call.instruction,
    msrs: [[0x40000000, 0x8100000000000001n]],
    requires: [...requires, call.requires],
  }, ways[""]);
  return {
    spec: "TLFS 3.6: hypercall interface: only from the most privileged mode of protected mode",
    ...tried,
    ...underHyperv(tried, tried.drive as (context: unknown) => void),
  };
});
