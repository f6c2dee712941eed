import { asm, defineCases, EventFd } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { requires, underHyperv } from "./_hyperv.ts";
import { identify } from "./_words.ts";

const rows = { connection: 0x1234, "last-connection": 0xffffff };

/** HvSignalEvent of a connection that has an eventfd signals it, and does not leave the guest. */
export default defineCases("hyperv/signal-event", byEachCall(rows), ({ row, call }) => {
  const connection = `0x${row.toString(16)}`;
  return {
    spec: ["KVM API 4.113: KVM_HYPERV_EVENTFD", "TLFS 11.11: HvSignalEvent"],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, "KVM_CAP_HYPERV_EVENTFD" as const, call.requires],
    ...underHyperv({
      guest: asm`
        ${identify}
        mov ecx, 0x1005d                ; HvSignalEvent, its parameter in RDX
        mov edx, ${row}
        ${call.instruction}
        out 0x10, al
        ${call.instruction}
        out 0xf4, al
      `,
      trace: `
        > hyperv-eventfd ${connection}
        pio out 0x10 u8 0x0
        > signalled -> 0x1
        pio out 0xf4 u8 0x0
        > signalled -> 0x1
        = rax 0x0
        = rcx 0x1005d
        = rdx ${connection}
      `,
    }, ({ vm, run, note }) => {
      using event = new EventFd();
      vm.hyperv.assign(event, row);
      for (let time = 0; time < 2; time++) {
        run();
        note("signalled", [], event.take());
      }
    }),
  };
});
