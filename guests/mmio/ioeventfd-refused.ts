import { asm, defineCase, EventFd } from "../../mod.ts";

/** KVM_IOEVENTFD refuses sizes that no access has, ranges that wrap, doubles, and unknown releases. */
export default defineCase({
  id: "mmio/ioeventfd-refused",
  spec: ["KVM API 4.59: KVM_IOEVENTFD (len: 0, 1, 2, 4 or 8)"],
  mode: "long",
  requires: ["KVM_CAP_IOEVENTFD"],
  registers: { rdi: 0xd0000040n },
  guest: asm`
    mov [rdi], ax
    hlt
  `,
  drive({ vm, attempt, run, note }) {
    using event = new EventFd();
    const at = { space: "mmio", address: 0xd0000040 } as const;
    attempt(() => vm.events.assign(event, { ...at, size: 3 }));
    attempt(() => vm.events.assign(event, { ...at, size: 16 }));
    attempt(() =>
      vm.events.assign(event, { space: "mmio", address: 0xffffffffffffffffn, size: 2 })
    );
    attempt(() => vm.events.release(event, { ...at, size: 2 }));
    vm.events.assign(event, { ...at, size: 2 });
    attempt(() => vm.events.assign(event, { ...at, size: 2 }));
    attempt(() => vm.events.assign(event, { ...at, size: 2, match: 5 }));
    attempt(() => vm.events.release(event, { ...at, size: 4 }));
    run();
    note("eventfd", [], event.take());
  },
  trace: `
    > ioeventfd mmio 0xd0000040 size=0x3 -> EINVAL
    > ioeventfd mmio 0xd0000040 size=0x10 -> EINVAL
    > ioeventfd mmio 0xffffffffffffffff size=0x2 -> EINVAL
    > ioeventfd-release mmio 0xd0000040 size=0x2 -> ENOENT
    > ioeventfd mmio 0xd0000040 size=0x2
    > ioeventfd mmio 0xd0000040 size=0x2 -> EEXIST
    > ioeventfd mmio 0xd0000040 size=0x2 match=0x5 -> EEXIST
    > ioeventfd-release mmio 0xd0000040 size=0x4 -> ENOENT
    hlt
    > eventfd -> 0x1
  `,
});
