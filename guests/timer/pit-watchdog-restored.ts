import { asm, defineCases } from "../../mod.ts";

const rows = {
  "nmi": { lint0: 0x400, taken: true },
  "masked": { lint0: 0x10400, taken: false },
} as const;

/** A tick of the PIT is an NMI where KVM_SET_LAPIC put LINT0 into NMI mode. */
export default defineCases("timer/pit-watchdog-restored", rows, ({ lint0, taken }) => ({
  spec: ["KVM API 4.58: KVM_SET_LAPIC", "SDM 3A 10.5.1: local vector table (delivery mode NMI)"],
  requires: ["KVM_CAP_PIT2"],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    mov al, 0x30
    out 0x43, al
    mov al, 0
    out 0x40, al
    mov al, 1
    out 0x40, al                    ; one tick, in 0.2 ms
    out 0x10, al                    ; the host waits for it
    out 0xf4, al
  `,
  drive({ run, vm, vcpu, assertEquals }) {
    vm.irq.createPit();
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0xf0, 0x1ff, true);
    view.setUint32(0x350, lint0, true);
    vcpu.setLapic(page);
    run();
    const pending = () => vcpu.events().nmi.pending;
    const end = performance.now() + (taken ? 2000 : 10);
    while (pending() === 0 && performance.now() < end);
    assertEquals("NMI pending", pending(), taken ? 1 : 0);
    vcpu.setEvents({ ...vcpu.events(), nmi: { ...vcpu.events().nmi, pending: 0 } });
  },
  trace: `
    > pit
    > set-lapic
    pio out 0x10 u8 0x1
    > set-events
    pio out 0xf4 u8 0x1
    = rax 0x1
  `,
}));
