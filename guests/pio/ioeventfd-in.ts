import { asm, defineCase, EventFd } from "../../mod.ts";

/** An ioeventfd takes writes alone: reads of its port are the host's and signal nothing. */
export default defineCase({
  id: "pio/ioeventfd-in",
  spec: "KVM API 4.59: KVM_IOEVENTFD",
  mode: "protected",
  requires: ["KVM_CAP_IOEVENTFD"],
  registers: { rax: 0x85a6c7e8n, rdx: 0x10n, rcx: 2n, rdi: 0xa000n },
  guest: asm`
    in al, 0x10
    rep insb
    hlt
  `,
  drive: ({ vm, run, note }) => {
    using event = new EventFd();
    vm.events.assign(event, { space: "pio", address: 0x10, size: 1 });
    while (run().reason === "pio");
    note("eventfd", [], event.take());
  },
  trace: `
    > ioeventfd pio 0x10 size=0x1
    pio in 0x10 u8 -> 0x9f
    pio in 0x10 u8 -> [0x81 0x12]
    hlt
    > eventfd -> 0x0
    = rax 0x85a6c79f
    = mem 0xa000 u8 [0x81 0x12]
    = rdi 0xa002
    = rcx 0x0
  `,
});
