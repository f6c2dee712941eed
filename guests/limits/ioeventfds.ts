import { asm, defineCase, EventFd } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** More than NR_IOBUS_DEVS, which does not count them. */
const COUNT = 1001;

/** Eventfds of a bus are limited by the process's descriptors alone, and one serves many addresses. */
export default defineCase({
  id: "limits/ioeventfds",
  spec: [
    "KVM API 4.59: KVM_IOEVENTFD",
    "virt/kvm/kvm_main.c: kvm_io_bus_register_dev leaves ioeventfds out of NR_IOBUS_DEVS",
  ],
  mode: "real",
  requires: ["KVM_CAP_IOEVENTFD"],
  guest: asm`
    mov dx, 0x1000
    out dx, al
    mov dx, ${0x1000 + COUNT - 1}
    out dx, al
    inc dx
    out dx, al
    hlt
  `,
  drive({ vm, run, note, assertEquals }) {
    using event = new EventFd();
    const at = (index: number) => ({ space: "pio", address: 0x1000 + index, size: 1 }) as const;
    const { observer } = vm;
    vm.observer = undefined;
    let count = 0;
    while (count < COUNT && refusal(() => vm.events.assign(event, at(count))) === "none") count++;
    // A zone of another kind still finds room on the bus.
    const zone = refusal(() => vm.events.coalesce({ space: "pio", address: 0x2000, size: 4 }));
    const again = refusal(() => vm.events.assign(event, at(0)));
    vm.observer = observer;
    const pio = vm.checkExtension("KVM_CAP_COALESCED_PIO") > 0;
    assertEquals("assigned", [count, zone, again], [COUNT, pio ? "none" : "EINVAL", "EEXIST"]);
    run();
    note("eventfd", [], event.take());
  },
  trace: `
    pio out 0x${(0x1000 + COUNT).toString(16)} u8 0x0
    > eventfd -> 0x2
    hlt
    = rdx 0x${(0x1000 + COUNT).toString(16)}
    = rflags *
  `,
});
