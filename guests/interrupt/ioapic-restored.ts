import { asm, defineCases } from "../../mod.ts";
import { apicRegisters, enableApic } from "./_apic.ts";

const rows = {
  level: { entry: 0x8051n, lines: 1 << 18, accepted: true, after: 0xc051n, waits: 1 << 18 },
  "level-masked": {
    entry: 0x18051n,
    lines: 1 << 18,
    accepted: false,
    after: 0x18051n,
    waits: 1 << 18,
  },
  // It was delivered before: its EOI is still to come.
  "level-remote-irr": {
    entry: 0xc051n,
    lines: 1 << 18,
    accepted: false,
    after: 0xc051n,
    waits: 1 << 18,
  },
  "level-not-asserted": { entry: 0x8051n, lines: 0, accepted: false, after: 0x8051n, waits: 0 },
  // An edge that waits is delivered, and waits no longer.
  edge: { entry: 0x51n, lines: 1 << 18, accepted: true, after: 0x51n, waits: 0 },
  "edge-not-asserted": { entry: 0x51n, lines: 0, accepted: false, after: 0x51n, waits: 0 },
  "other-line": { entry: 0x8051n, lines: 1 << 19, accepted: false, after: 0x8051n, waits: 1 << 19 },
  "last-line": {
    entry: 0x10051n,
    lines: 1 << 23,
    accepted: false,
    after: 0x10051n,
    waits: 1 << 23,
  },
};

/** Lines that are asserted in the state that KVM_SET_IRQCHIP gets interrupt by their entries. */
export default defineCases("interrupt/ioapic-restored", rows, (row) => ({
  spec: [
    "KVM API 4.27: KVM_SET_IRQCHIP, struct kvm_ioapic_state",
    "82093AA 3.2.4: I/O redirection table registers",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: apicRegisters,
  guest: asm`
    ${enableApic}
    out 0x10, al
    mov ebx, [rsi + 0x220]          ; IRR of vectors 0x40 to 0x5f
    mov eax, [rdi]                  ; IOREGSEL
    mov ecx, [rdi + 0x10]
    mov dword [rdi], 0
    mov edx, [rdi + 0x10]           ; id
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    run();
    const state = vm.irq.ioapic();
    state.redirtbl[18] = row.entry;
    state.redirtbl[3] = 0xa5000000_00010033n;
    state.irr = row.lines;
    state.id = 7;
    state.ioregsel = 0x34;
    vm.irq.setIoapic(state);
    const { irr, redirtbl } = vm.irq.ioapic();
    assertEquals("lines", irr, row.waits);
    assertEquals("entry", redirtbl[18], row.after);
    assertEquals("other entries", redirtbl.filter((_, pin) => pin !== 18), [
      ...Array(3).fill(0x10000n),
      0xa5000000_00010033n,
      ...Array(19).fill(0x10000n),
    ]);
  },
  trace: `
    pio out 0x10 u8 0x0
    > set-irqchip ioapic
    pio out 0xf4 u8 0x34
    = rax 0x34
    = rbx ${row.accepted ? "0x20000" : "0x0"}
    = rcx 0x${row.after.toString(16)}
    = rdx 0x7000000
  `,
}));
