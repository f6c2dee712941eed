import { asm, defineCases } from "../../mod.ts";
import { comeToHlt, completed, prepared, requires, store } from "./_smram.ts";

const rows = {
  "paging-without-protection": store(0xff58, 0x80000010),
  "reserved-bit-of-cr4": store(0xff48, 0x8020),
  // Long mode is active and PAE off.
  "long-mode-without-pae": store(0xff48, 0),
};

/** RSM to a state that no CPU can have shuts the processor down. */
export default defineCases("smm/refused-return", rows, (instruction) => ({
  spec: "APM 2 10.4: leaving SMM (illegal state: shutdown)",
  mode: "long",
  requires,
  guest: asm`
    out 0x10, al
    hlt
    handler:
    ${instruction}
    rsm
    handler_end:
  `,
  drive: (context) => {
    comeToHlt(context);
    context.vcpu.smi();
  },
  trace: `
    ${prepared}
    pio out 0x10 u8 0x0
    ${completed}
    > smi
    shutdown
    = mem 0x20fe00 u64 [${Array(64).fill("*").join(" ")}]
  `,
}));
