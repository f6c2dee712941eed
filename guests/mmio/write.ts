import { asm, defineCases, type ModeName } from "../../mod.ts";
import { ARITHMETIC_FLAGS, hole } from "./_machine.ts";

const sizes = {
  u8: { register: "dl", written: "u8 0x99" },
  u16: { register: "dx", written: "u16 0xaa99" },
  u32: { register: "edx", written: "u32 0xccbbaa99" },
};

const modes: readonly ModeName[] = ["real", "protected", "paged", "pae", "long"];

const rows: Record<string, { mode: ModeName; register: string; written: string }> = {};
for (const mode of modes) {
  for (const [size, row] of Object.entries(sizes)) rows[`${mode}-${size}`] = { mode, ...row };
}
rows["long-u64"] = { mode: "long", register: "rdx", written: "u64 0xf1eeddffccbbaa99" };

/** A store where no slot is exits once, with the bytes of its operand and no more. */
export default defineCases("mmio/write", rows, ({ mode, register, written }) => ({
  spec: ["KVM API 5: KVM_EXIT_MMIO", "SDM 2B: MOV"],
  mode,
  machine: { rflags: { set: ARITHMETIC_FLAGS } },
  registers: {
    rdi: hole[mode].rdi,
    rdx: mode === "long" ? 0xf1eeddffccbbaa99n : 0xccbbaa99n,
  },
  guest: asm`
    ${hole[mode].reach}
    mov [${hole[mode].operand}], ${register}
    lea ecx, [ecx + 1]              ; counts how often the guest came by
    hlt
    halted:
  `,
  trace: ({ halted }) => `
    mmio write ${hole[mode].address} ${written}
    hlt
    = rcx 0x1
    = rip ${halted}
    ${hole[mode].state}
  `,
}));
