import { asm, defineCases, EventFd, type Route } from "../../mod.ts";
import { apicRegisters, enableApic, redirect } from "./_apic.ts";

interface Row {
  /** The pin's entry: level-triggered has bit 15. */
  entry: number;
  /** Where the GSI leads, if not to the pin of its number. */
  routes?: readonly Route[];
  gsi: number;
  /** The eventfd is assigned once the guest has programmed the pin. */
  late?: true;
}

const rows: Record<string, Row> = {
  level: { entry: 0x8051, gsi: 18 },
  "level-late": { entry: 0x8051, gsi: 18, late: true },
  "edge": { entry: 0x51, gsi: 18 },
  "edge-late": { entry: 0x51, gsi: 18, late: true },
  "another-pin": {
    entry: 0x8051,
    gsi: 40,
    routes: [{ gsi: 18, chip: "ioapic", pin: 4 }, { gsi: 40, chip: "ioapic", pin: 18 }],
  },
};

/**
 * The EOI of an IOAPIC pin's interrupt lowers the line of its eventfd and signals the one that
 * resamples, whatever the pin's trigger mode; the EOI of another vector does not.
 */
export default defineCases("interrupt/irqfd-resample-ioapic", rows, (row) => ({
  spec: [
    "KVM API 4.75: KVM_IRQFD, KVM_IRQFD_FLAG_RESAMPLE",
    "KVM API 4.52: KVM_SET_GSI_ROUTING",
    "82093AA 3.2.4: I/O redirection table registers, Remote IRR",
  ],
  requires: ["KVM_CAP_IRQFD", "KVM_CAP_IRQFD_RESAMPLE", "KVM_CAP_IRQ_ROUTING"],
  mode: "long",
  irqchip: "kernel",
  withoutLens: {
    restore: "KVM does not tell which source holds an interrupt line, and lowers it with the irqfd",
  },
  registers: apicRegisters,
  handlers: { 0x51: "handler", 0x61: "other" },
  guest: asm`
    ${enableApic}
    ${redirect(18, row.entry)}
    out 0x10, al                    ; the host signals
    push qword 0x202
    popfq                           ; no shadow
    first:
    jmp first
    handler:
    mov ebx, [rdi + 0x10]           ; Remote IRR
    out 0x11, al                    ; not before its EOI
    mov dword [rsi + 0x300], 0x44061; another interrupt, to itself
    push qword 0x202
    popfq
    second:
    jmp second
    other:
    mov dword [rsi + 0xb0], 0       ; EOI of that
    out 0x12, al
    mov dword [rsi + 0xb0], 0       ; EOI
    mov ecx, [rdi + 0x10]
    mov edx, [rsi + 0x220]          ; IRR: not again
    out 0x13, al
    out 0xf4, al
  `,
  drive({ run, vm, note, assertEquals }) {
    using event = new EventFd();
    using resample = new EventFd();
    if (row.routes) vm.irq.setRouting(row.routes);
    if (row.late) run();
    vm.irq.assignEventFd(event, row.gsi, resample);
    if (!row.late) run();
    event.signal();
    run();
    note("resample", [], resample.take());
    run();
    note("resample", [], resample.take());
    assertEquals("line", vm.irq.ioapic().irr & 1 << 18, row.entry & 0x8000 ? 1 << 18 : 0);
    run();
    note("resample", [], resample.take());
    assertEquals("line behind the EOI", vm.irq.ioapic().irr & 1 << 18, 0);
    vm.irq.releaseEventFd(event, row.gsi);
    run();
    note("resample", [], resample.take());
  },
  trace: ({ first, second }) => {
    const assign = `> irqfd 0x${row.gsi.toString(16)} resample`;
    return `
      ${row.routes ? "> routing entries=0x2" : ""}
      ${row.late ? "" : assign}
      pio out 0x10 u8 0x0
      ${row.late ? assign : ""}
      pio out 0x11 u8 0x0
      > resample -> 0x0
      pio out 0x12 u8 0x0
      > resample -> 0x0
      pio out 0x13 u8 0x0
      > resample -> 0x1
      > irqfd-release 0x${row.gsi.toString(16)}
      pio out 0xf4 u8 0x0
      > resample -> 0x0
      = rbx 0x${(row.entry & 0x8000 ? row.entry | 0x4000 : row.entry).toString(16)}
      = rcx 0x${row.entry.toString(16)}
      = rsp 0x7fa8
      = mem 0x7fa8 u64 [${second} 0x28 0x202 0x7fd8 0x30 0x202]
      = mem 0x7fd8 u64 [${first} 0x28 0x202 0x8000 0x30]
    `;
  },
}));
