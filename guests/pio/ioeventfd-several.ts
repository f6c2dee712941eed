import { asm, defineCase, EventFd } from "../../mod.ts";

/** Several ioeventfds on one port, apart by size or by value, are each signalled by their own writes. */
export default defineCase({
  id: "pio/ioeventfd-several",
  spec: "KVM API 4.59: KVM_IOEVENTFD",
  mode: "protected",
  requires: ["KVM_CAP_IOEVENTFD"],
  guest: asm`
    mov eax, 0x85a60001
    out 0x10, al
    out 0x10, ax
    mov al, 2
    out 0x10, al
    out 0x10, al
    mov al, 3
    out 0x10, al
    mov al, 1
    out 0x11, al
    mov eax, 0
    hlt
  `,
  drive: ({ vm, run, note }) => {
    using one = new EventFd();
    using two = new EventFd();
    using word = new EventFd();
    using next = new EventFd();
    vm.events.assign(one, { space: "pio", address: 0x10, size: 1, match: 1 });
    vm.events.assign(two, { space: "pio", address: 0x10, size: 1, match: 2 });
    vm.events.assign(word, { space: "pio", address: 0x10, size: 2 });
    vm.events.assign(next, { space: "pio", address: 0x11, size: 1 });
    run();
    run();
    note("one", [], one.take());
    note("two", [], two.take());
    note("word", [], word.take());
    note("next", [], next.take());
  },
  trace: `
    > ioeventfd pio 0x10 size=0x1 match=0x1
    > ioeventfd pio 0x10 size=0x1 match=0x2
    > ioeventfd pio 0x10 size=0x2
    > ioeventfd pio 0x11 size=0x1
    pio out 0x10 u8 0x3
    hlt
    > one -> 0x1
    > two -> 0x2
    > word -> 0x1
    > next -> 0x1
  `,
});
