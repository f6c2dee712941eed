import { asm, defineCase, EventFd } from "../../mod.ts";

/**
 * Several eventfds at one address: the value decides which is signalled; a released one's writes
 * exit again, and the others stay.
 */
export default defineCase({
  id: "mmio/ioeventfd-several",
  spec: ["KVM API 4.59: KVM_IOEVENTFD"],
  mode: "long",
  requires: ["KVM_CAP_IOEVENTFD"],
  registers: { rdi: 0xd0000040n },
  guest: asm`
    mov word [rdi], 1
    mov word [rdi], 2
    mov word [rdi], 2
    mov word [rdi], 3
    mov word [rdi + 2], 1
    out 0x10, al                    ; the host releases the one for 2
    mov word [rdi], 1
    mov word [rdi], 2
    hlt
  `,
  drive({ vm, run, note }) {
    using one = new EventFd();
    using two = new EventFd();
    using next = new EventFd();
    vm.events.assign(one, { space: "mmio", address: 0xd0000040, size: 2, match: 1 });
    vm.events.assign(two, { space: "mmio", address: 0xd0000040, size: 2, match: 2 });
    vm.events.assign(next, { space: "mmio", address: 0xd0000042, size: 2 });
    while (run().reason === "mmio");
    note("eventfds", [one.take(), two.take(), next.take()]);
    vm.events.release(two, { space: "mmio", address: 0xd0000040, size: 2, match: 2 });
    while (run().reason === "mmio");
    note("eventfds", [one.take(), two.take(), next.take()]);
  },
  trace: `
    > ioeventfd mmio 0xd0000040 size=0x2 match=0x1
    > ioeventfd mmio 0xd0000040 size=0x2 match=0x2
    > ioeventfd mmio 0xd0000042 size=0x2
    mmio write 0xd0000040 u16 0x3
    pio out 0x10 u8 0x0
    > eventfds 0x1 0x2 0x1
    > ioeventfd-release mmio 0xd0000040 size=0x2 match=0x2
    mmio write 0xd0000040 u16 0x2
    hlt
    > eventfds 0x1 0x0 0x0
  `,
});
