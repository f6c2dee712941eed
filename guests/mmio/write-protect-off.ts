import { asm, defineCase } from "../../mod.ts";

/** With CR0.WP clear a supervisor's write through a read-only page goes to the device. */
export default defineCase({
  id: "mmio/write-protect-off",
  spec: ["SDM 3A 4.6.1: determination of access rights", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: {
    cr0: { clear: 0x10000n },
    map: [{ virtual: 0x30000, physical: 0xd0000000, writable: false }],
  },
  registers: { rdx: 0xd7d8n },
  guest: asm`
    mov [0x30040], dx
    mov dl, [0x30041]
    hlt
  `,
  trace: `
    mmio write 0xd0000040 u16 0xd7d8
    mmio read 0xd0000041 u8 -> 0x9a
    hlt
    = rdx 0xd79a
  `,
});
