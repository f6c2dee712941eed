import { asm, defineCases, type DriveContext } from "../../mod.ts";

type Routes = Parameters<DriveContext["vm"]["irq"]["setRouting"]>[0];

const routes: Record<string, Routes> = {
  "pic-pin": [{ gsi: 4, chip: "pic-master", pin: 8 }],
  "slave-pin": [{ gsi: 4, chip: "pic-slave", pin: 8 }],
  "ioapic-pin": [{ gsi: 4, chip: "ioapic", pin: 24 }],
  "gsi": [{ gsi: 4096, chip: "ioapic", pin: 4 }],
  "pin-twice": [
    { gsi: 4, chip: "ioapic", pin: 4 },
    { gsi: 4, chip: "ioapic", pin: 5 },
  ],
  // A message is the one route of its GSI.
  "message-twice": [
    { gsi: 4, msi: { address: 0xfee00000, data: 0x51 } },
    { gsi: 4, msi: { address: 0xfee00000, data: 0x52 } },
  ],
  "message-behind-pin": [
    { gsi: 4, chip: "ioapic", pin: 4 },
    { gsi: 4, msi: { address: 0xfee00000, data: 0x51 } },
  ],
  "pin-behind-message": [
    { gsi: 4, msi: { address: 0xfee00000, data: 0x51 } },
    { gsi: 4, chip: "ioapic", pin: 4 },
  ],
  "flags-of-pin": [{ gsi: 4, chip: "ioapic", pin: 4, flags: 1 }],
  "flags-of-message": [{ gsi: 4, msi: { address: 0xfee00000, data: 0x51 }, flags: 2 }],
};

/** A route that cannot be is refused, and the old table stays in force. */
export default defineCases("interrupt/routing-errno", routes, (table) => ({
  spec: "KVM API 4.52: KVM_SET_GSI_ROUTING, EINVAL",
  requires: ["KVM_CAP_IRQ_ROUTING"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    out 0x10, al                    ; the host asserts GSI 4
    in al, 0x20                     ; the IRR
    out 0xf4, al
  `,
  drive({ run, vm, attempt }) {
    run();
    attempt(() => vm.irq.setRouting(table));
    vm.irq.setLine(4, 1);
  },
  trace: `
    pio out 0x10 u8 0x0
    > routing entries=0x${table.length} -> EINVAL
    > irq-line 0x4 0x1
    pio out 0xf4 u8 0x10
    = rax 0x10
  `,
}));
