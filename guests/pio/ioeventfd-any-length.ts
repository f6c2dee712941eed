import { asm, defineCase, EventFd } from "../../mod.ts";

/** An ioeventfd of length 0 takes a write of any size at its port, and none that begins beside it. */
export default defineCase({
  id: "pio/ioeventfd-any-length",
  spec: "KVM API 4.59: KVM_IOEVENTFD, KVM_CAP_IOEVENTFD_ANY_LENGTH",
  mode: "protected",
  requires: ["KVM_CAP_IOEVENTFD", "KVM_CAP_IOEVENTFD_ANY_LENGTH"],
  registers: { rax: 0x85a6c7e8n },
  guest: asm`
    out 0x10, al
    out 0x10, ax
    out 0x10, eax
    out 0xf, ax
    out 0x11, al
    hlt
  `,
  drive: ({ vm, run, note }) => {
    using event = new EventFd();
    vm.events.assign(event, { space: "pio", address: 0x10, size: 0 });
    run();
    note("eventfd", [], event.take());
    run();
    run();
    note("eventfd", [], event.take());
  },
  trace: `
    > ioeventfd pio 0x10 size=0x0
    pio out 0xf u16 0xc7e8
    > eventfd -> 0x3
    pio out 0x11 u8 0xe8
    hlt
    > eventfd -> 0x0
  `,
});
