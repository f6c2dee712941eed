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
  // VMRUN and #VMEXIT leave DR0 to DR3 as they are, and what VMLOAD loads.
  "debug-register": { code: "mov esi, 0x1234\nmov dr2, rsi", state: "= rsi 0x1234\n= dr2 0x1234" },
  vmsave: {
    code: "mov eax, 0xd000\nvmsave\nxor esi, esi",
    state: `
      = mem 0xd440 u64 [0xffffffff0c930030 0x0 0xffffffff0c930030 0x0]
      = mem 0xd470 u64 [* *]
      = mem 0xd490 u64 [0x67008b0068 0x3000]
      = mem 0xd600 u64 [* * * * * * * *]
    `,
  },
  vmload: {
    code: "mov eax, 0xd000\nvmsave\nmov word [0xd450], 0x38\nvmload\nxor esi, esi",
    state: `
      = gs.selector 0x38
      = mem 0xd440 u64 [0xffffffff0c930030 0x0 0xffffffff0c930038 0x0]
      = mem 0xd470 u64 [* *]
      = mem 0xd490 u64 [0x67008b0068 0x3000]
      = mem 0xd600 u64 [* * * * * * * *]
    `,
  },
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
