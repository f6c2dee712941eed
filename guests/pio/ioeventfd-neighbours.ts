import { asm, defineCase, EventFd } from "../../mod.ts";

/** A write that begins beside an ioeventfd's port is the host's, even where it covers that port. */
export default defineCase({
  id: "pio/ioeventfd-neighbours",
  spec: "KVM API 4.59: KVM_IOEVENTFD",
  mode: "protected",
  requires: ["KVM_CAP_IOEVENTFD"],
  registers: { rax: 0x85a6c7e8n },
  guest: asm`
    out 0xf, al
    out 0xf, ax
    out 0xe, eax
    out 0x11, al
    out 0x11, ax
    out 0x12, ax
    out 0x10, ax
    hlt
  `,
  drive: ({ vm, run, note }) => {
    using event = new EventFd();
    vm.events.assign(event, { space: "pio", address: 0x10, size: 2 });
    for (let exits = 0; exits < 6; exits++) run();
    note("eventfd", [], event.take());
    run();
    note("eventfd", [], event.take());
  },
  trace: `
    > ioeventfd pio 0x10 size=0x2
    pio out 0xf u8 0xe8
    pio out 0xf u16 0xc7e8
    pio out 0xe u32 0x85a6c7e8
    pio out 0x11 u8 0xe8
    pio out 0x11 u16 0xc7e8
    pio out 0x12 u16 0xc7e8
    > eventfd -> 0x0
    hlt
    > eventfd -> 0x1
  `,
});
