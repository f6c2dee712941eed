import { asm, defineCase, EventFd } from "../../mod.ts";

/** When an ioeventfd is released its port is the host's again, and it is not signalled any more. */
export default defineCase({
  id: "pio/ioeventfd-release",
  spec: "KVM API 4.59: KVM_IOEVENTFD, KVM_IOEVENTFD_FLAG_DEASSIGN",
  mode: "protected",
  requires: ["KVM_CAP_IOEVENTFD"],
  registers: { rax: 0x85a6c7e8n },
  guest: asm`
    out 0x10, al
    out 0x11, al
    out 0x10, al
    hlt
  `,
  drive: ({ vm, run, note, attempt }) => {
    using event = new EventFd();
    using other = new EventFd();
    const access = { space: "pio", address: 0x10, size: 1 } as const;
    vm.events.assign(event, access);
    run();
    note("eventfd", [], event.take());
    attempt(() => vm.events.release(other, access));
    attempt(() => vm.events.release(event, { ...access, size: 2 }));
    vm.events.release(event, access);
    attempt(() => vm.events.release(event, access));
    run();
    run();
    note("eventfd", [], event.take());
  },
  trace: `
    > ioeventfd pio 0x10 size=0x1
    pio out 0x11 u8 0xe8
    > eventfd -> 0x1
    > ioeventfd-release pio 0x10 size=0x1 -> ENOENT
    > ioeventfd-release pio 0x10 size=0x2 -> ENOENT
    > ioeventfd-release pio 0x10 size=0x1
    > ioeventfd-release pio 0x10 size=0x1 -> ENOENT
    pio out 0x10 u8 0xe8
    hlt
    > eventfd -> 0x0
  `,
});
