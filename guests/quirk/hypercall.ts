import { asm, defineCases, type Requirement } from "../../mod.ts";

const [svm, vmx]: Requirement[] = [{ backend: ["svm"] }, { backend: ["vmx"] }];

const rows = {
  // Intel's instruction on an AMD host is replaced by AMD's, and the other way round.
  "vmcall-default": { host: svm, instruction: "vmcall", quirks: [], left: "0xf 0x1 0xd9" },
  "vmmcall-default": { host: vmx, instruction: "vmmcall", quirks: [], left: "0xf 0x1 0xc1" },
  "vmcall-disabled": { host: svm, instruction: "vmcall", quirks: [0x20], left: undefined },
  "vmmcall-disabled": { host: vmx, instruction: "vmmcall", quirks: [0x20], left: undefined },
  // What is disabled once stays disabled.
  "vmcall-disabled-before": {
    host: svm,
    instruction: "vmcall",
    quirks: [0x20, 0x1, 0],
    left: undefined,
  },
  "vmmcall-disabled-before": {
    host: vmx,
    instruction: "vmmcall",
    quirks: [0x20, 0x1, 0],
    left: undefined,
  },
};

/**
 * The other vendor's hypercall instruction is a #UD; with KVM_X86_QUIRK_FIX_HYPERCALL_INSN KVM puts
 * the right one in its place.
 */
export default defineCases("quirk/hypercall", rows, ({ host, instruction, quirks, left }) => ({
  spec: "KVM API 7.32: KVM_CAP_DISABLE_QUIRKS2 (KVM_X86_QUIRK_FIX_HYPERCALL_INSN)",
  mode: "long",
  requires: [host, { capability: "KVM_CAP_DISABLE_QUIRKS2", atLeast: 0x20 }],
  handlers: { 6: "handler" },
  registers: { rax: 1n },
  guest: asm`
    calling:
    ${instruction}
    mov bl, 1
    hlt
    handler:
    mov bl, 2
    hlt
  `,
  drive: ({ vm }) => {
    for (const bits of quirks) vm.enableCapability("KVM_CAP_DISABLE_QUIRKS2", bits);
  },
  trace: ({ calling }) => `
    ${quirks.map((bits) => `> enable disable-quirks2 0x${bits.toString(16)}`).join("\n")}
    hlt
    ${
    left === undefined
      ? `= rbx 0x2\n= rsp 0x7fd8\n= mem 0x7fd8 u64 [${calling} 0x28 0x10002 0x8000 0x30]`
      : `= rax 0x0\n= rbx 0x1\n= mem ${calling} u8 [${left}]`
  }
  `,
}));
