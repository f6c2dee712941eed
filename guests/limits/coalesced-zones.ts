import { asm, defineCase } from "../../mod.ts";
import { refusal } from "../_fresh.ts";

/** NR_IOBUS_DEVS of the kernel: devices on one bus of a VM. */
const MOST = 1000;

const slow = "a thousand zones are the point, and take long there";

/** A bus has room for 1000 zones: one more is refused, takes none away, and fits once one is gone. */
export default defineCase({
  id: "limits/coalesced-zones",
  spec: [
    "KVM API 4.116: KVM_REGISTER_COALESCED_MMIO",
    "linux/kvm_host.h: NR_IOBUS_DEVS; virt/kvm/kvm_main.c: kvm_io_bus_register_dev, ENOSPC",
  ],
  mode: "long",
  requires: [
    "KVM_CAP_COALESCED_MMIO",
    { notEmulatedBy: "qemu-tcg", because: slow },
    { notEmulatedBy: "bochs", because: slow },
  ],
  registers: { rdi: 0xd0000000n, rax: 0x41n },
  guest: asm`
    mov [rdi], al
    mov [rdi + ${(MOST - 1) * 0x10}], al
    mov [rdi + ${MOST * 0x10}], al
    hlt
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    const zone = (index: number) =>
      ({ space: "mmio", address: 0xd0000000 + index * 0x10, size: 0x10 }) as const;
    const { observer } = vm;
    vm.observer = undefined;
    let count = 0;
    while (count < MOST && refusal(() => vm.events.coalesce(zone(count))) === "none") count++;
    const answers = [count, refusal(() => vm.events.coalesce(zone(MOST)))];
    vm.observer = observer;
    assertEquals("zones, and the answer to one more", answers, [MOST, "ENOSPC"]);
    run();
    const taken = vcpu.takeCoalesced().map(({ address }) => address);
    assertEquals("writes that were coalesced", taken, [0xd0000000n, 0xd0000000n + 0x3e70n]);
    vm.events.stopCoalescing(zone(5));
    vm.events.coalesce(zone(MOST));
  },
  trace: `
    mmio write 0xd0003e80 u8 0x41
    > coalesce-stop mmio 0xd0000050 size=0x10
    > coalesce mmio 0xd0003e80 size=0x10
    hlt
  `,
});
