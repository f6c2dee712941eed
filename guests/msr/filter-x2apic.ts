import { asm, defineCase } from "../../mod.ts";

/** A filter that denies everything leaves the x2APIC's MSRs alone. */
export default defineCase({
  id: "msr/filter-x2apic",
  spec: "KVM API 4.97: KVM_X86_SET_MSR_FILTER (x2APIC MSR accesses cannot be filtered)",
  mode: "long",
  irqchip: "kernel",
  requires: ["KVM_CAP_X86_MSR_FILTER", { cpuid: "X2APIC" }],
  handlers: { 13: "fault" },
  guest: asm`
    mov ecx, 0x1b
    rdmsr
    or eax, 0x400
    wrmsr
    out 0xe0, al
    xor edx, edx
    mov ecx, 0x80f
    mov eax, 0x1ff
    wrmsr
    mov eax, 0
    rdmsr
    out 0x10, eax
    mov ecx, 0x808
    mov eax, 0x30
    wrmsr
    mov eax, 0
    rdmsr
    out 0x10, eax
    mov ecx, 0x175
    rdmsr
    fault:
    out 0x11, al
  `,
  drive: ({ vm, run }) => {
    run();
    vm.setMsrFilter({
      otherwise: "deny",
      ranges: [
        { access: "read-write", base: 0x800, count: 0x100, allowed: new Uint8Array(32) },
      ],
    });
  },
  trace: `
    pio out 0xe0 u8 0x0
    > msr-filter otherwise-deny read-write=0x800
    pio out 0x10 u32 0x1ff
    pio out 0x10 u32 0x30
    pio out 0x11 u8 0x30
    = rax 0x30
    = rcx 0x175
    = cr8 0x3
    = rsp 0x7fd0
    = apic-base 0xfee00d00
    = rflags *
    = mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]
  `,
});
