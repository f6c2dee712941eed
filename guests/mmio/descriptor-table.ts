import { asm, defineCases } from "../../mod.ts";

const rows = {
  sgdt: {
    instruction: "sgdt [rdi]",
    exit: "write 0xd0000040 u8 [0xff 0x0 0x0 0x10 0x0 0x0 0x0 0x0 0x0 0x0]",
    state: "",
  },
  lgdt: {
    instruction: "lgdt [rdi]",
    exit: "read 0xd0000040 u8 -> [0x7f 0x0 0x0 0x10 0x0 0x0 0x0 0x0 0x0 0x0]",
    state: "= gdt.limit 0x7f",
  },
};

/** The pseudo-descriptor of a descriptor table register: 2 bytes of limit, 8 of base. */
export default defineCases("mmio/descriptor-table", rows, ({ instruction, exit, state }) => ({
  spec: ["SDM 2B: SGDT", "SDM 2A: LGDT/LIDT", "KVM API 5: KVM_EXIT_MMIO"],
  mode: "long",
  registers: { rdi: 0xd0000040n },
  timeout: 100,
  guest: asm`
    ${instruction}
    hlt
  `,
  trace: `
    mmio ${exit}
    hlt
    ${state}
  `,
}));
