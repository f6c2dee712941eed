import { asm, defineCases } from "../../mod.ts";

const rows = {
  "user-faults": { privilege: 3, enable: true, faults: true },
  "user-without": { privilege: 3, enable: false, faults: false },
  "kernel-never": { privilege: 0, enable: true, faults: false },
} as const;

/** CPUID faulting: where the host shows it and the guest asks for it, CPUID at CPL 3 is a #GP(0). */
export default defineCases("cpuid/faulting", rows, ({ privilege, enable, faults }) => ({
  spec: ["SDM 4 2: MSR_PLATFORM_INFO, MISC_FEATURES_ENABLES", "SDM 3B 18: CPUID faulting"],
  mode: "long",
  machine: { privilege },
  handlers: { 13: "handler" },
  registers: { rdi: 0xd0000000n },
  guest: asm`
    asking:
    cpuid
    mov al, 1
    mov [rdi], al
    handler:
    mov al, 2
    mov [rdi + 1], al
  `,
  drive: ({ vcpu }) => {
    vcpu.setMsrs([
      { index: 0xce, data: 0x80000000n },
      { index: 0x140, data: enable ? 1n : 0n },
    ]);
  },
  trace: ({ asking }) => `
    > set-msrs msr.0xce=0x80000000 msr.0x140=${enable ? "0x1" : "0x0"} -> 0x2
    ${
    faults
      ? `
        mmio write 0xd0000001 u8 0x2
        = rax 0x2
        = rsp 0x6fd0
        = mem 0x6fd0 u64 [0x0 ${asking} 0x4b 0x10002 0x8000 0x43]
        = cs.selector 0x28
        = cs.access 0xa09b
        = ss.selector 0x0
        = ss.access *
      `
      : `
        mmio write 0xd0000000 u8 0x1
        = rax *
        = rbx *
        = rcx *
        = rdx *
      `
  }
  `,
}));
