import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, redirect } from "./_apic.ts";

// The IRR of the master PIC, of the slave, and of the local APIC's vectors 0x40 to 0x5f.
const lines = {
  "gsi0": { gsi: 0, master: 0x01, slave: 0x00, apic: "0x20000" },
  "gsi7": { gsi: 7, master: 0x80, slave: 0x00, apic: "0x20000" },
  "gsi12": { gsi: 12, master: 0x00, slave: 0x10, apic: "0x20000" },
  "gsi16": { gsi: 16, master: 0x00, slave: 0x00, apic: "0x20000" },
};

/** GSIs 0 to 15 reach both the PIC and the IOAPIC, 16 to 23 the IOAPIC alone. */
export default defineCases("interrupt/routing-default", lines, ({ gsi, master, slave, apic }) => ({
  spec: "KVM API 4.24: KVM_CREATE_IRQCHIP, IRQ routing",
  mode: "long",
  irqchip: "kernel",
  registers: { ...apicRegisters, rax: 0n, rbx: 0x99n, rcx: 0x99n },
  guest: asm`
    mov al, 0xff                    ; both PICs masked
    out 0x21, al
    out 0xa1, al
    mov dword [rsi + 0xf0], 0x1ff
    ${redirect(gsi, 0x51)}
    out 0x10, al                    ; the host asserts the line
    in al, 0x20
    mov bl, al
    in al, 0xa0
    mov cl, al
    mov edx, [rsi + 0x220]
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.setLine(gsi, 1);
  },
  trace: `
    pio out 0x10 u8 0xff
    > irq-line 0x${gsi.toString(16)} 0x1
    pio out 0xf4 u8 0x${slave.toString(16)}
    = rax 0x${slave.toString(16)}
    = rbx 0x${master.toString(16)}
    = rcx 0x${slave.toString(16)}
    = rdx ${apic}
  `,
}));
