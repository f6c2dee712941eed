import { asm, defineCase } from "../../mod.ts";

/** As many writes as the ring holds: 4096 bytes, less 8 of its head, hold 170 of 24, one kept free. */
const CAPACITY = 169;

/** When the ring is full a write exits, none is lost, and the ring wraps when it has been emptied. */
export default defineCase({
  id: "mmio/coalesced-full",
  spec: ["KVM API 4.116: KVM_(UN)REGISTER_COALESCED_MMIO", "linux/kvm.h: KVM_COALESCED_MMIO_MAX"],
  mode: "long",
  requires: ["KVM_CAP_COALESCED_MMIO"],
  registers: { rdi: 0xd0000000n },
  guest: asm`
    write:
    mov [rdi], ecx
    inc ecx
    cmp ecx, 200
    jb write
    hlt
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    vm.events.coalesce({ space: "mmio", address: 0xd0000000, size: 0x1000 });
    run();
    const values = () => vcpu.takeCoalesced().map(({ value }) => Number(value));
    assertEquals("the full ring", values(), Array.from({ length: CAPACITY }, (_, i) => i));
    run();
    const rest = 200 - CAPACITY - 1;
    assertEquals("the rest", values(), Array.from({ length: rest }, (_, i) => CAPACITY + 1 + i));
  },
  trace: `
    > coalesce mmio 0xd0000000 size=0x1000
    mmio write 0xd0000000 u32 0x${CAPACITY.toString(16)}
    hlt
    = rcx 0xc8
    = rflags 0x46
  `,
});
