import { asm, defineCases, type DrivenVcpu } from "../../mod.ts";

const check = { bank: 0, status: 1n << 63n, addr: 0n, misc: 0n, mcg_status: 0n };

const rows: Record<string, { act: (vcpu: DrivenVcpu) => void; trace: string }> = {
  "no-bank": { act: (vcpu) => vcpu.setupMce(0n), trace: "> setup-mce 0x0" },
  "too-many-banks": { act: (vcpu) => vcpu.setupMce(0xffn), trace: "> setup-mce 0xff" },
  "unknown-capability": {
    act: (vcpu) => vcpu.setupMce(1n << 40n | 10n),
    trace: "> setup-mce 0x1000000000a",
  },
  "bank-beyond": { act: (vcpu) => vcpu.setMce({ ...check, bank: 32 }), trace: "> set-mce 0x20" },
  "not-valid": { act: (vcpu) => vcpu.setMce({ ...check, status: 0n }), trace: "> set-mce 0x0" },
};

/** Banks that there cannot be, and errors that are none, are refused. */
export default defineCases("state/machine-check-refused", rows, ({ act, trace }) => ({
  spec: [
    "KVM API 4.105: KVM_X86_SETUP_MCE, EINVAL",
    "KVM API 4.106: KVM_X86_SET_MCE, EINVAL",
  ],
  mode: "long",
  requires: ["KVM_CAP_MCE"],
  guest: asm`hlt`,
  drive({ vcpu, attempt }) {
    attempt(() => act(vcpu));
  },
  trace: `
    ${trace} -> EINVAL
    hlt
  `,
}));
