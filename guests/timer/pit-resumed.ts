import { asm, defineCases } from "../../mod.ts";
import { redirect } from "../interrupt/_apic.ts";
import { initializePics } from "../interrupt/_pic.ts";

const toPic = initializePics({ masterMask: 0xfe });

const rows = {
  // Ticks on a masked pin are lost, and do not keep those away that come once it is unmasked.
  "ioapic-unmasked": {
    before: redirect(2, 0x10020),
    wait: `
      mov dword [rdi], 0x14
      mov dword [rdi + 0x10], 0x20  ; unmasked
    `,
    end: "mov dword [rsi + 0xb0], 0",
  },
  // A tick that the PIC forgets as it is initialized is not waited for either.
  "pic-initialized": {
    before: toPic,
    wait: initializePics({ masterMask: 0xfe }),
    end: "mov al, 0x20\nout 0x20, al",
  },
} as const;

/** The PIT ticks on, whatever became of a tick that no end of interrupt followed. */
export default defineCases("timer/pit-resumed", rows, ({ before, wait, end }, name) => ({
  spec: [
    "Intel 8254: mode 2 (rate generator)",
    "82093AA 3.2.4: I/O redirection table registers, interrupt mask",
    "8259A: initialization command words, ICW1 (the edge sense circuit is reset)",
  ],
  requires: ["KVM_CAP_PIT2", "KVM_CAP_IRQ_ROUTING"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n, rdi: 0xfec00000n },
  handlers: { 0x20: "handler" },
  guest: asm`
    ${name === "ioapic-unmasked" ? "mov al, 0xff\nout 0x21, al\nmov dword [rsi + 0xf0], 0x1ff" : ""}
    ${before}
    mov al, 0x34
    out 0x43, al
    xor eax, eax
    out 0x40, al
    mov al, 0x08
    out 0x40, al                    ; 1.7 ms
    out 0x10, al                    ; the host waits
    ${wait}
    again:
    sti
    hlt
    cli
    cmp ebx, 3
    jb again
    mov al, 0x30                    ; mode 0, without a count: it stops
    out 0x43, al
    mov ebx, 3
    xor eax, eax
    out 0xf4, al
    handler:
    inc ebx
    ${end}
    iretq
  `,
  drive({ run, vm }) {
    vm.irq.createPit();
    // GSI 0 reaches the IOAPIC's pin 2, as on PCs.
    vm.irq.setRouting([
      { gsi: 0, chip: "pic-master", pin: 0 },
      { gsi: 0, chip: "ioapic", pin: 2 },
    ]);
    run();
    const until = performance.now() + 5;
    while (performance.now() < until);
  },
  trace: `
    > pit
    > routing entries=0x2
    pio out 0x10 u8 0x8
    pio out 0xf4 u8 0x0
    = rbx 0x3
    = rflags 0x46
    = mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]
  `,
}));
