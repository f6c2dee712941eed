import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

const rows = {
  // The interrupt comes of the line that KVM_SET_IRQCHIP asserts, or was delivered before.
  "asserted": { entry: 0x8051n, lines: 1 << 18 },
  "delivered": { entry: 0xc051n, lines: 0 },
};

/** The EOI of an interrupt whose pin's entry KVM_SET_IRQCHIP set clears Remote IRR. */
export default defineCases("interrupt/ioapic-restored-eoi", rows, ({ entry, lines }) => ({
  spec: [
    "KVM API 4.27: KVM_SET_IRQCHIP, struct kvm_ioapic_state",
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR",
    "SDM 3A 10.8.5: signaling interrupt servicing completion",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    ${enableApic}
    out 0x10, al                    ; the host sets the state
    push qword 0x202
    popfq                           ; no shadow
    taken:
    jmp taken
    handler:
    out 0x11, al
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0xf4, al
  `,
  drive({ run, vm, vcpu, assertEquals }) {
    run();
    const state = vm.irq.ioapic();
    state.redirtbl[18] = entry;
    state.irr = lines;
    vm.irq.setIoapic(state);
    if (lines === 0) {
      const page = vcpu.lapic();
      const view = new DataView(page.buffer);
      for (const offset of [0x220, 0x1a0]) view.setUint32(offset, 0x20000, true);
      vcpu.setLapic(page);
    }
    run();
    vm.irq.setLine(18, 0);
    assertEquals("the entry", vm.irq.ioapic().redirtbl[18], 0xc051n);
    run();
    assertEquals("the entry behind the EOI", vm.irq.ioapic().redirtbl[18], 0x8051n);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > set-irqchip ioapic
    ${lines === 0 ? "> set-lapic" : ""}
    pio out 0x11 u8 0x0
    > irq-line 0x12 0x0
    pio out 0xf4 u8 0x0
    = rsp 0x7fd8
    = rflags 0x2
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
}));
