import { asm, defineCases } from "../../mod.ts";
import { calls } from "../_hypercall.ts";

/** A call into the page that KVM filled comes to the host with the number of the stub. */
export default defineCases("xen/hypercall-through-page", calls, ({ requires }) => ({
  spec: [
    "KVM API 4.28: KVM_XEN_HVM_CONFIG (KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL)",
    "KVM API 5: KVM_EXIT_XEN",
  ],
  mode: "long",
  requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 2 }, requires],
  registers: { rcx: 0x40000200n, rax: 0xb000n, rbx: 0xb000n + 34n * 32n, rdi: 0xd1n },
  guest: asm`
    wrmsr
    call rbx
    behind:
    out 0xf4, al
  `,
  drive: ({ vm }) => vm.xen.setConfig({ flags: 2, msr: 0x40000200 }),
  trace: ({ behind }) => `
    > xen-config flags=0x2
    xen-hypercall 0x22 [0xd1 * * * * *] long=0x1 cpl=0x0 -> 0x123456789abcdef0
    pio out 0xf4 u8 0xf0
    = rax 0x123456789abcdef0
    = mem 0x7ff8 u64 ${behind}
    = mem 0xb000 u64 [${Array(512).fill("*").join(" ")}]
  `,
}));
