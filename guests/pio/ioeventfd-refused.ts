import { asm, defineCase, EventFd } from "../../mod.ts";

/**
 * KVM refuses an ioeventfd that another one would take writes from, a size that no access has, and a
 * value to match without a size; none of them takes a write.
 */
export default defineCase({
  id: "pio/ioeventfd-refused",
  spec: "KVM API 4.59: KVM_IOEVENTFD",
  mode: "protected",
  requires: ["KVM_CAP_IOEVENTFD", "KVM_CAP_IOEVENTFD_ANY_LENGTH"],
  registers: { rax: 0x2n },
  guest: asm`
    out 0x10, al
    out 0x10, ax
    out 0x12, al
    out 0x13, al
    out 0x14, al
    hlt
  `,
  drive: ({ vm, run, note, attempt }) => {
    using event = new EventFd();
    using other = new EventFd();
    const assign = (address: number, size: number, match?: number) =>
      attempt(() => vm.events.assign(other, { space: "pio", address, size, match }));
    vm.events.assign(event, { space: "pio", address: 0x10, size: 1, match: 1 });
    assign(0x10, 1, 1);
    assign(0x10, 1);
    assign(0x10, 0);
    assign(0x12, 3);
    assign(0x13, 0, 2);
    assign(0x14, 16);
    for (let exits = 0; exits < 6; exits++) run();
    note("eventfd", [], event.take() + other.take());
  },
  trace: `
    > ioeventfd pio 0x10 size=0x1 match=0x1
    > ioeventfd pio 0x10 size=0x1 match=0x1 -> EEXIST
    > ioeventfd pio 0x10 size=0x1 -> EEXIST
    > ioeventfd pio 0x10 size=0x0 -> EEXIST
    > ioeventfd pio 0x12 size=0x3 -> EINVAL
    > ioeventfd pio 0x13 size=0x0 match=0x2 -> EINVAL
    > ioeventfd pio 0x14 size=0x10 -> EINVAL
    pio out 0x10 u8 0x2
    pio out 0x10 u16 0x2
    pio out 0x12 u8 0x2
    pio out 0x13 u8 0x2
    pio out 0x14 u8 0x2
    hlt
    > eventfd -> 0x0
  `,
});
