import { asm, defineCases, type Requirement } from "../../mod.ts";

const rows: Record<string, { requires: Requirement; instruction: number }> = {
  vmcall: { requires: { backend: ["vmx"] }, instruction: 0xc1 },
  vmmcall: { requires: { backend: ["svm"] }, instruction: 0xd9 },
};

/** 128 stubs of 32 bytes: MOV EAX, number; the vendor's instruction; RET; INT3 to the end. */
function stubs(instruction: number): Uint8Array {
  const page = new Uint8Array(0x1000).fill(0xcc);
  for (let number = 0; number < 128; number++) {
    page.set([0xb8, number, 0, 0, 0, 0x0f, 0x01, instruction, 0xc3], number * 32);
  }
  return page;
}

/** With KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL a write of the MSR fills a page with calls to KVM. */
export default defineCases("xen/hypercall-page", rows, ({ requires, instruction }) => ({
  spec: "KVM API 4.28: KVM_XEN_HVM_CONFIG (KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL)",
  mode: "long",
  requires: [{ capability: "KVM_CAP_XEN_HVM", atLeast: 2 }, requires],
  registers: { rcx: 0x40000200n, rax: 0xb000n },
  handlers: { 13: "handler" },
  guest: asm`
    wrmsr
    mov al, 1                       ; a second page is not there
    wrmsr
    out 0x10, al
    handler:
    mov bl, 13
    hlt
  `,
  drive: ({ vm, run, read, assertEquals }) => {
    vm.xen.setConfig({ flags: 2, msr: 0x40000200 });
    run();
    assertEquals("the page", read(0xb000, 0x1000), stubs(instruction));
  },
  trace: `
    > xen-config flags=0x2
    hlt
    = rax 0xb001
    = rbx 0xd
    = rsp 0x7fd0
    = mem 0x7fd0 u64 [0x0 * 0x28 0x10002 0x8000 0x30]
    = mem 0xb000 u64 [${Array(512).fill("*").join(" ")}]
  `,
}));
