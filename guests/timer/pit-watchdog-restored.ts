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
  handlers: { 2: "handler" },
  guest: asm`
    mov al, 0x30
    out 0x43, al
    mov al, 0
    out 0x40, al
    mov al, 4
    out 0x40, al                    ; one tick, in 0.9 ms
    ${taken ? "spin:\npause\ncmp bl, 1\njne spin" : "out 0x10, al"}
    xor eax, eax
    out 0xf4, al
    handler:
    mov bl, 1
    iretq
  `,
  drive({ run, vm, vcpu, assertEquals }) {
    vm.irq.createPit();
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0xf0, 0x1ff, true);
    view.setUint32(0x350, lint0, true);
    vcpu.setLapic(page);
    if (taken) return;
    run();
    const end = performance.now() + 10;
    while (performance.now() < end);
    assertEquals("NMI pending", vcpu.events().nmi.pending, 0);
  },
  trace: `
    > pit
    > set-lapic
    ${taken ? "" : "pio out 0x10 u8 0x4"}
    pio out 0xf4 u8 0x0
    = rflags 0x46
    ${taken ? "= rbx 0x1\n= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]" : ""}
  `,
}));
