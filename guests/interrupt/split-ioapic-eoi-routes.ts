import { asm, defineCases, type Route } from "../../mod.ts";
import { apicRegisters } from "./_apic.ts";

const LEVEL = 0xc062;

const rows: Record<string, { routes: readonly Route[]; exits: boolean }> = {
  reserved: { routes: [{ gsi: 23, msi: { address: 0xfee00000, data: LEVEL } }], exits: true },
  // The split interrupt controller has 24 pins.
  "not-reserved": {
    routes: [{ gsi: 24, msi: { address: 0xfee00000, data: LEVEL } }],
    exits: false,
  },
  "another-vector": {
    routes: [{ gsi: 5, msi: { address: 0xfee00000, data: LEVEL + 1 } }],
    exits: false,
  },
  "edge": { routes: [{ gsi: 5, msi: { address: 0xfee00000, data: 0x62 } }], exits: false },
  "edge-and-level": {
    routes: [
      { gsi: 5, msi: { address: 0xfee00000, data: 0x62 } },
      { gsi: 6, msi: { address: 0xfee00000, data: LEVEL } },
    ],
    exits: true,
  },
  none: { routes: [], exits: false },
};

/** The EOI of a vector leaves the guest where a reserved GSI's level-triggered route has it, alone. */
export default defineCases("interrupt/split-ioapic-eoi-routes", rows, ({ routes, exits }) => ({
  spec: ["KVM API 5: KVM_EXIT_IOAPIC_EOI", "KVM API 7.5: KVM_CAP_SPLIT_IRQCHIP"],
  mode: "long",
  irqchip: "split",
  registers: apicRegisters,
  handlers: { 0x62: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x300], 0x44062; to itself
    push qword 0x202
    popfq                           ; no shadow
    taken:
    jmp taken
    handler:
    out 0x10, al
    mov dword [rsi + 0xb0], 0       ; EOI
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.irq.setRouting(routes),
  trace: ({ taken }) => `
    > routing entries=0x${routes.length}
    pio out 0x10 u8 0x0
    ${exits ? "ioapic-eoi 0x62" : ""}
    pio out 0xf4 u8 0x0
    = rsp 0x7fd8
    = rflags 0x2
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
}));
