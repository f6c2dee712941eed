import { asm, defineCases } from "../../mod.ts";

/** Guest physical address of the IOAPIC: its index register, and 16 bytes above its window. */
const IOAPIC = 0xfec00000;

const rows = {
  // Registers 0x10 + 2 * pin and the next are a redirection entry's halves (82093AA 3.2.4).
  "redirection-low": { index: 0x10 + 2 * 9, entry: 0x0500_0000_0001_0931n, value: 0x10931 },
  "redirection-high": { index: 0x11 + 2 * 9, entry: 0x0500_0000_0001_0931n, value: 0x5000000 },
  id: { index: 0, entry: 1n << 16n, value: 0x7000000 },
};

/** The guest reads of the IOAPIC what KVM_SET_IRQCHIP put there. */
export default defineCases("system/ioapic-state", rows, ({ index, entry, value }) => ({
  spec: ["KVM API 4.27: KVM_SET_IRQCHIP, struct kvm_ioapic_state", "82093AA 3.1, 3.2.4"],
  mode: "protected",
  irqchip: "kernel",
  guest: asm`
    mov dword [${IOAPIC}], ${index}
    mov eax, [${IOAPIC + 0x10}]
    out 0xf4, eax
  `,
  drive({ vm, assertEquals }) {
    const before = vm.irq.ioapic();
    assertEquals("its address", before.base_address, BigInt(IOAPIC));
    const redirtbl = before.redirtbl.map((old, pin) => pin === 9 ? entry : old);
    vm.irq.setIoapic({ ...before, id: 7, redirtbl });
    assertEquals("what was set", vm.irq.ioapic(), { ...before, id: 7, redirtbl });
  },
  trace: `
    > set-irqchip ioapic
    pio out 0xf4 u32 0x${value.toString(16)}
    = rax 0x${value.toString(16)}
  `,
}));
