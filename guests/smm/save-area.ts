import { asm, defineCase } from "../../mod.ts";
import { comeToHlt, completed, prepared, requires } from "./_smram.ts";

/** Selector, attributes, limit and base of a flat segment, as two words. */
const data = "0xffffffffc0930030 0x0";

/** The save area of a processor with long mode: every field that APM 2 table 10-1 has a place for. */
export default defineCase({
  id: "smm/save-area",
  spec: "APM 2 10.2.3: SMM state-save area, table 10-1",
  mode: "long",
  requires,
  registers: { rax: 0xa1n, rbx: 0xb1n, rcx: 0xc1n, rdx: 0xd1n, rsi: 0x51n, rdi: 0xd2n, rbp: 0xb2n },
  guest: asm`
    out 0x10, al
    behind:
    hlt
    handler:
    out 0x11, al
    rsm
    handler_end:
  `,
  drive: (context) => {
    const { vcpu } = context;
    comeToHlt(context);
    vcpu.smi();
  },
  trace: ({ behind }) => `
    ${prepared}
    pio out 0x10 u8 0xa1
    ${completed}
    > smi
    pio out 0x11 u8 0xa1
    hlt
    = mem 0x20fe00 u64 [${data} 0xffffffffa09b0028 0x0 ${data} ${data} ${data} ${data}]
    = mem 0x20fe60 u64 [0xff00000000 0x1000 * * 0xfff00000000 0x2000 0x67008b0068 0x3000]
    = mem 0x20fea0 u64 [* * * * * * 0xd00]
    = mem 0x20fed8 u64 [* * * * 0x2006400000000]
    = mem 0x20ff00 u32 0x200000
    = mem 0x20ff48 u64 [0x20 0x10000 0x80010031 0x400 0xffff0ff0 0x2 ${behind}]
    = mem 0x20ff80 u64 [0xf0f0f0f0f0f0f0f 0xe0e0e0e0e0e0e0e 0xd0d0d0d0d0d0d0d 0xc0c0c0c0c0c0c0c]
    = mem 0x20ffa0 u64 [0xb0b0b0b0b0b0b0b 0xa0a0a0a0a0a0a0a 0x909090909090909 0x808080808080808]
    = mem 0x20ffc0 u64 [0xd2 0x51 0xb2 0x8000 0xb1 0xd1 0xc1 0xa1]
  `,
});
