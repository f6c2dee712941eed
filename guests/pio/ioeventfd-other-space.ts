import { asm, defineCase, EventFd } from "../../mod.ts";

/** Ports and guest physical addresses are two spaces: an ioeventfd in one takes nothing of the other. */
export default defineCase({
  id: "pio/ioeventfd-other-space",
  spec: "KVM API 4.59: KVM_IOEVENTFD, KVM_IOEVENTFD_FLAG_PIO",
  mode: "real",
  requires: ["KVM_CAP_IOEVENTFD"],
  registers: { rax: 0x2000n, rbx: 0x41n },
  guest: asm`
    mov ds, ax
    mov [0x10], bl
    mov al, bl
    out 0x10, al
    hlt
  `,
  drive: ({ vm, run, note }) => {
    using event = new EventFd();
    using memory = new EventFd();
    // 0x20010 is no port, and 0x10 no address outside RAM.
    vm.events.assign(event, { space: "pio", address: 0x20010, size: 1 });
    vm.events.assign(memory, { space: "mmio", address: 0x10, size: 1 });
    run();
    run();
    run();
    note("eventfd", [], event.take() + memory.take());
  },
  trace: `
    > ioeventfd pio 0x20010 size=0x1
    > ioeventfd mmio 0x10 size=0x1
    mmio write 0x20010 u8 0x41
    pio out 0x10 u8 0x41
    hlt
    > eventfd -> 0x0
    = rax 0x2041
    = ds.selector 0x2000
    = ds.base 0x20000
  `,
});
