import { asm, defineCases } from "../../mod.ts";

const rows = {
  read: {
    instruction: "mov dx, [0x30040]",
    exit: "read 0xd0000040 u16 -> 0x9abc",
    rdx: "0xd1d2d3d4d5d69abc",
  },
  write: {
    instruction: "mov [0x30040], edx",
    exit: "write 0xd0000040 u32 0xd5d6d7d8",
    rdx: "0xd1d2d3d4d5d6d7d8",
  },
};

/** A user may access a device through a page with U/S set. */
export default defineCases("mmio/user", rows, ({ instruction, exit, rdx }) => ({
  spec: ["SDM 3A 4.6.1: determination of access rights", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  machine: {
    privilege: 3,
    map: [{ virtual: 0x30000, physical: 0xd0000000, user: true }],
  },
  registers: { rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    ${instruction}
    mov byte [0x30080], 0x5a        ; the end: a user has no HLT
  `,
  trace: `
    mmio ${exit}
    mmio write 0xd0000080 u8 0x5a
    = rdx ${rdx}
  `,
}));
