import { asm, defineCase } from "../../mod.ts";
import { machine, report, reported, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

/** INIT that a hypervisor intercepts leaves its guest, and is held as long as GIF is clear. */
export default defineCase({
  id: "nested-svm/init",
  spec: ["APM 2 15.13.4: INIT intercept", "APM 2 15.17: global interrupt flag", "APM 2 16.5: INIT"],
  mode: "long",
  irqchip: "kernel",
  requires,
  machine,
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    ${run}
    ${report.replace("hlt", "out 0xf4, al")}
    nested:
    out 0x30, al
    next:
    nop
    vmmcall
  `,
  drive: ({ vm, run, write, labels }) => {
    write(VMCB, vmcb({ rip: labels.get("nested")!, first: 8, second: 2 }));
    run();
    vm.irq.signalMsi({ address: 0xfee00000n, data: 0x500 });
  },
  trace: ({ next }) => `
    pio out 0x30 u8 0x0
    > msi address=0xfee00000 data=0x500 -> 0x1
    ${reported(0x63, 0n, 0n, next)}
    pio out 0xf4 u8 0x0
    = rflags 0x46
    ${written}
  `,
});
