import { asm, defineCase } from "../../mod.ts";

/** Every register that KVM_SET_REGS sets is the guest's, and what the guest changes is KVM_GET_REGS's. */
export default defineCase({
  id: "exit/set-regs",
  spec: ["KVM API 4.11: KVM_GET_REGS", "KVM API 4.12: KVM_SET_REGS"],
  mode: "long",
  guest: asm`
    hlt
    entry:
    mov [0xa000], rax
    mov [0xa008], rbx
    mov [0xa010], rcx
    mov [0xa018], rdx
    mov [0xa020], rsi
    mov [0xa028], rdi
    mov [0xa030], rsp
    mov [0xa038], rbp
    mov [0xa040], r8
    mov [0xa048], r9
    mov [0xa050], r10
    mov [0xa058], r11
    mov [0xa060], r12
    mov [0xa068], r13
    mov [0xa070], r14
    mov [0xa078], r15
    mov esp, 0xa088
    pushfq
    xchg rax, rbx
    xchg rcx, rdx
    xchg rsi, rdi
    xchg rbp, r8
    xchg r9, r10
    xchg r11, r12
    xchg r13, r14
    not r15
    hlt
  `,
  drive: ({ run, vcpu, labels, assertEquals }) => {
    assertEquals("exit", run().reason, "hlt");
    const registers = {
      rax: 0xa1a2a3a4a5a6a7a8n,
      rbx: 0xb1b2b3b4b5b6b7b8n,
      rcx: 0xc1c2c3c4c5c6c7c8n,
      rdx: 0xd1d2d3d4d5d6d7d8n,
      rsi: 0x5152535455565758n,
      rdi: 0x6162636465666768n,
      rsp: 0x7172737475767778n,
      rbp: 0x4142434445464748n,
      r8: 0x8182838485868788n,
      r9: 0x9192939495969798n,
      r10: 0x1112131415161718n,
      r11: 0x2122232425262728n,
      r12: 0x3132333435363738n,
      r13: 0xe1e2e3e4e5e6e7e8n,
      r14: 0xf1f2f3f4f5f6f7f8n,
      r15: 0x0102030405060708n,
      rip: labels.get("entry")!,
      // ID, AC, IOPL 3, OF, DF, SF, ZF, AF, PF, CF; without bit 1, which is 1 all the same.
      rflags: 0x243cd5n,
    };
    vcpu.setRegs(registers);
    assertEquals("KVM_GET_REGS after KVM_SET_REGS", vcpu.regs(), {
      ...registers,
      rflags: 0x243cd7n,
    });
  },
  trace: `
    hlt
    > set-regs
    hlt
    = rax 0xb1b2b3b4b5b6b7b8
    = rbx 0xa1a2a3a4a5a6a7a8
    = rcx 0xd1d2d3d4d5d6d7d8
    = rdx 0xc1c2c3c4c5c6c7c8
    = rsi 0x6162636465666768
    = rdi 0x5152535455565758
    = rsp 0xa080
    = rbp 0x8182838485868788
    = r8 0x4142434445464748
    = r9 0x1112131415161718
    = r10 0x9192939495969798
    = r11 0x3132333435363738
    = r12 0x2122232425262728
    = r13 0xf1f2f3f4f5f6f7f8
    = r14 0xe1e2e3e4e5e6e7e8
    = r15 0xfefdfcfbfaf9f8f7
    = rflags 0x243cd7
    = mem 0xa000 u64 [0xa1a2a3a4a5a6a7a8 0xb1b2b3b4b5b6b7b8 0xc1c2c3c4c5c6c7c8 0xd1d2d3d4d5d6d7d8]
    = mem 0xa020 u64 [0x5152535455565758 0x6162636465666768 0x7172737475767778 0x4142434445464748]
    = mem 0xa040 u64 [0x8182838485868788 0x9192939495969798 0x1112131415161718 0x2122232425262728]
    = mem 0xa060 u64 [0x3132333435363738 0xe1e2e3e4e5e6e7e8 0xf1f2f3f4f5f6f7f8 0x102030405060708]
    = mem 0xa080 u64 0x243cd7
  `,
});
