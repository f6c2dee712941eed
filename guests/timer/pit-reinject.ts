import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "../interrupt/_apic.ts";

const rows = {
  // The next tick is queued until the end of the one before.
  "on": { reinject: true, behind: "0x0" },
  "off": { reinject: false, behind: "0x20000" },
};

/** Without an EOI another tick of the PIT is injected unless the VM reinjects ticks. */
export default defineCases("timer/pit-reinject", rows, ({ reinject, behind }) => ({
  spec: ["KVM API 4.99: KVM_REINJECT_CONTROL", "Intel 8254: mode 2 (rate generator)"],
  requires: ["KVM_CAP_PIT2", "KVM_CAP_REINJECT_CONTROL", "KVM_CAP_IRQ_ROUTING"],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  handlers: { 0x51: "handler" },
  guest: asm`
    mov al, 0xff                    ; both PICs masked
    out 0x21, al
    out 0xa1, al
    ${enableApic}
    ${redirect(2, 0x51)}
    mov al, 0x34
    out 0x43, al
    xor eax, eax
    out 0x40, al
    mov al, 0x08
    out 0x40, al                    ; 1.7 ms
    push qword 0x202
    popfq                           ; no shadow
    ticking:
    jmp ticking
    handler:
    out 0x10, al                    ; the host waits
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0x11, al                    ; the host waits
    mov ecx, [rsi + 0x220]
    out 0xf4, al
  `,
  drive({ run, vm }) {
    vm.irq.createPit();
    vm.irq.setRouting([{ gsi: 0, chip: "ioapic", pin: 2 }]);
    vm.irq.setReinject(reinject);
    for (let exit = 0; exit < 2; exit++) {
      run();
      const end = performance.now() + 10;
      while (performance.now() < end);
    }
  },
  trace: ({ ticking }) => `
    > pit
    > routing entries=0x1
    > reinject 0x${reinject ? 1 : 0}
    pio out 0x10 u8 0x8
    pio out 0x11 u8 0x8
    pio out 0xf4 u8 0x8
    = rax 0x8
    = rbx ${behind}
    = rcx 0x20000
    = rsp 0x7fd8
    = rflags 0x2|0x46
    = mem 0x7fd8 u64 [${ticking} 0x28 0x202 0x8000 0x30]
  `,
}));
