import { asm, defineCase } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

/**
 * Whether an edge of the RTC's line is coalesced follows the local APIC that KVM_SET_LAPIC sets: it
 * is while the last one's vector is in service or requested there.
 */
export default defineCase({
  id: "interrupt/rtc-restored",
  spec: [
    "KVM API 4.25: KVM_IRQ_LINE; KVM_CAP_IRQ_INJECT_STATUS",
    "KVM API 4.58: KVM_SET_LAPIC",
  ],
  requires: ["KVM_CAP_IRQ_INJECT_STATUS"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    mov al, 0xff                    ; the PIC, which has this line too, is masked
    out 0x21, al
    out 0xa1, al
    ${enableApic}
    ${redirect(8, 0x51)}
    out 0x10, al
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    mov ecx, [rsi + 0x120]          ; ISR
    out 0xf4, al
  `,
  drive({ run, vm, vcpu }) {
    run();
    const set = (request: number, service: number) => {
      const page = vcpu.lapic();
      const view = new DataView(page.buffer);
      view.setUint32(0x220, request, true);
      view.setUint32(0x120, service, true);
      vcpu.setLapic(page);
      vm.irq.setLineStatus(8, 1);
      vm.irq.setLineStatus(8, 0);
    };
    set(0, 0x20000);
    set(0x20000, 0);
    set(0, 0);
    set(0, 0x40000);
  },
  trace: `
    pio out 0x10 u8 0xff
    > set-lapic
    > irq-line-status 0x8 0x1 -> 0x0
    > irq-line-status 0x8 0x0 -> *
    > set-lapic
    > irq-line-status 0x8 0x1 -> 0x0
    > irq-line-status 0x8 0x0 -> *
    > set-lapic
    > irq-line-status 0x8 0x1 -> 0x1
    > irq-line-status 0x8 0x0 -> *
    > set-lapic
    > irq-line-status 0x8 0x1 -> 0x1
    > irq-line-status 0x8 0x0 -> *
    pio out 0xf4 u8 0xff
    = rax 0xff
    = rbx 0x20000
    = rcx 0x40000
  `,
});
