import { asm, defineCases } from "../../mod.ts";

// Offsets and values of the registers of the local APIC (SDM 3A 11.4.1).
const rows: Record<string, Readonly<Record<number, number>>> = {
  "task-priority": { 0x80: 0x50 },
  "logical-destination": { 0xd0: 0x03000000, 0xe0: 0xffffffff },
  "spurious": { 0xf0: 0x1fe },
  "in-service": { 0x120: 0x00020000, 0x170: 0x1 },
  "request": { 0x210: 0x00000400, 0x220: 0x80000000 },
  "trigger-mode": { 0x1a0: 0x2 },
  "command": { 0x300: 0x000c4021, 0x310: 0x02000000 },
  "local-vectors": {
    0x320: 0x00010031,
    0x340: 0x00010032,
    0x350: 0x00010700,
    0x360: 0x00010400,
    0x370: 0x000100fe,
  },
  "timer": { 0x320: 0x00010031, 0x3e0: 0x0000000b },
};

/** KVM_GET_LAPIC gives the registers of the local APIC as KVM_SET_LAPIC was given them. */
export default defineCases("state/lapic", rows, (registers) => ({
  spec: ["KVM API 4.57: KVM_GET_LAPIC", "KVM API 4.58: KVM_SET_LAPIC", "SDM 3A 11.4.1: registers"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    mov al, 0x21
    out 0xf4, al
  `,
  drive({ vcpu, assertEquals }) {
    const before = vcpu.lapic();
    const page = before.slice();
    const view = new DataView(page.buffer);
    // Enabled by software, so that the vectors are what they are set to.
    view.setUint32(0xf0, 0x1ff, true);
    for (const [offset, value] of Object.entries(registers)) {
      view.setUint32(Number(offset), value, true);
    }
    vcpu.setLapic(page);
    const now = new DataView(vcpu.lapic().buffer);
    for (const offset of Object.keys(registers)) {
      const at = Number(offset);
      const name = `register 0x${at.toString(16)}`;
      assertEquals(name, now.getUint32(at, true), view.getUint32(at, true));
    }
    vcpu.setLapic(before);
    assertEquals("the registers as before", vcpu.lapic(), before);
  },
  trace: `
    > set-lapic
    > set-lapic
    pio out 0xf4 u8 0x21
    = rax 0x21
  `,
}));
