import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/** One EOI ends the interrupts of all level-triggered pins whose entries have its vector. */
export default defineCase({
  id: "interrupt/ioapic-shared-vector",
  spec: [
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR",
    "SDM 3A 10.8.5: signaling interrupt servicing completion (EOI messages have the vector)",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    ${enableApic}
    ${redirect(17, 0x8051)}
    ${redirect(20, 0x8052)}
    ${redirect(22, 0x8051)}
    out 0x10, al                    ; the host asserts the first and the last line
    push qword 0x202
    popfq                           ; no shadow
    taken:
    jmp taken
    handler:
    out 0x11, al                    ; it asserts the other too, and deasserts all
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0xf4, al
  `,
  drive({ run, vm, vcpu, assertEquals }) {
    run();
    for (const pin of [17, 22]) vm.irq.setLine(pin, 1);
    const remote = () =>
      [17, 20, 22].map((pin) => Number(vm.irq.ioapic().redirtbl[pin]! >> 14n & 1n));
    run();
    assertEquals("in service", new DataView(vcpu.lapic().buffer).getUint32(0x120, true), 0x20000);
    vm.irq.setLine(20, 1);
    assertEquals("Remote IRR", remote(), [1, 1, 1]);
    for (const pin of [17, 20, 22]) vm.irq.setLine(pin, 0);
    run();
    assertEquals("Remote IRR behind the EOI", remote(), [0, 1, 0]);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > irq-line 0x11 0x1
    > irq-line 0x16 0x1
    pio out 0x11 u8 0x0
    > irq-line 0x14 0x1
    > irq-line 0x11 0x0
    > irq-line 0x14 0x0
    > irq-line 0x16 0x0
    pio out 0xf4 u8 0x0
    = rsp 0x7fd8
    = rflags 0x2
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
});
