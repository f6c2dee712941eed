import { asm, defineCases } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

const blocks = {
  "apic-disabled": { spurious: 0xff, address: 0xfee00000 },
  "other-apic": { spurious: 0x1ff, address: 0xfee01000 },
  "other-logical": { spurious: 0x1ff, address: 0xfee10004 },
};

/** An MSI that no enabled local APIC is addressed by is answered with 0 and forgotten. */
export default defineCases("interrupt/msi-blocked", blocks, ({ spurious, address }) => ({
  spec: [
    "KVM API 4.70: KVM_SIGNAL_MSI, 0 if the guest blocked it",
    "SDM 3A 10.4.7.2: APIC disabled",
  ],
  requires: ["KVM_CAP_SIGNAL_MSI"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    mov dword [rsi + 0xd0], 0x2000000 ; LDR: logical destination 0x02
    mov dword [rsi + 0xf0], ${spurious}
    out 0x10, al                    ; the host sends the MSI
    mov dword [rsi + 0xf0], 0x1ff   ; enabled, too late
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    sti
    out 0x11, al
    cli
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.signalMsi({ address, data: 0x51 });
  },
  trace: `
    pio out 0x10 u8 0x0
    > msi address=0x${address.toString(16)} data=0x51 -> 0x0
    pio out 0x11 u8 0x0
    pio out 0xf4 u8 0x0
  `,
}));
