import { asm, defineCase } from "../../mod.ts";
import { comeToHlt, completed, requires } from "./_smram.ts";

/** A sixteenth of it has a part that a selector can hold. */
const SMBASE = 0x210000;

/** The handler's CS is SMBASE / 16, its DR7 has nothing enabled, and RSM brings back that of before. */
export default defineCase({
  id: "smm/base-and-debug",
  spec: ["APM 2 10.3.5: SMM execution environment", "APM 2 10.4: leaving SMM"],
  mode: "long",
  requires,
  registers: { rbx: 0x1234560n, rdx: 0x10455n },
  guest: asm`
    mov dr3, rbx
    mov dr7, rdx
    out 0x10, al
    hlt
    handler:
    db 0x8c, 0xc8                   ; mov ax, cs
    out 0x11, eax                   ; 16 bits there
    db 0x0f, 0x21, 0xf8             ; mov eax, dr7
    db 0x66, 0xe7, 0x12             ; out 0x12, eax
    rsm
    handler_end:
  `,
  drive: (context) => {
    comeToHlt(context, SMBASE);
    context.vcpu.smi();
  },
  trace: `
    > slot 0x10001 gpa=0x210000 size=0x10000
    > set-msrs msr.0x9e=0x210000 -> 0x1
    pio out 0x10 u8 0x0
    ${completed}
    > smi
    pio out 0x11 u16 0x1000
    pio out 0x12 u32 0x400
    hlt
    = dr3 0x1234560
    = dr7 0x10455
    = mem 0x21fe00 u64 [${Array(64).fill("*").join(" ")}]
  `,
});
