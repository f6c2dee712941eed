import { asm, defineCases } from "../../mod.ts";
import { machine, report, reported, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

const rows = {
  cpuid: { code: "xor eax, eax\nxor ecx, ecx\ncpuid\nxor esi, esi", state: "" },
  rdmsr: { code: "mov ecx, 0xc0000080\nrdmsr\nmov esi, eax", state: "= rsi 0x1d00" },
  "mov-from-cr0": { code: "mov rsi, cr0", state: "= rsi 0x80010031" },
  "mov-from-cr3": { code: "mov rsi, cr3", state: "= rsi 0x10000" },
  out: { code: "out 0x20, al\nxor esi, esi", state: "", exits: "pio out 0x20 u8 0x77" },
  in: { code: "in al, 0x20\nmovzx esi, al", state: "= rsi 0x5a", exits: "pio in 0x20 u8 -> 0x5a" },
  "device-memory": {
    code: "mov esi, 0xd0000000\nmov [rsi], al\nxor esi, esi",
    state: "",
    exits: "mmio write 0xd0000000 u8 0x77",
  },
  push: { code: "push rax\npop rsi", state: "= rsi 0x77\n= mem 0x7bf8 u64 0x77" },
} as const;

/** What the hypervisor does not intercept is between its guest and KVM. */
export default defineCases("nested-svm/pass", rows, (row) => ({
  spec: "APM 2 15.5: VMRUN instruction; 15.6: #VMEXIT",
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${run}
    ${report}
    nested:
    ${row.code}
    mov eax, 0
    at:
    vmmcall
  `,
  drive: ({ write, labels }) =>
    write(VMCB, vmcb({ rip: labels.get("nested")!, rax: 0x77n, second: 2 })),
  trace: ({ at }) => `
    ${"exits" in row ? row.exits : ""}
    ${reported(0x81, 0n, 0n, at)}
    hlt
    = rflags 0x46
    ${row.state}
    ${written}
  `,
}));
