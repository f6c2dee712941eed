import { asm, defineCases } from "../../mod.ts";

const VALID = 1n << 63n;
const UNCORRECTED = 1n << 61n;
const ENABLED = 1n << 60n;
const RESTART_VALID = 1n;
const IN_PROGRESS = 4n;
const MCG_STATUS = 0x17a;
const MC1_STATUS = 0x405;

const guest = asm`
  mov cl, 1
  hlt
  halted:
  hlt
  handler:
  inc ebx
  hlt
`;

const delivered = `
  hlt
  = rbx 0x1
  = rsp 0x7fd8
  = mem 0x7fd8 u64 [0x8000 0x28 * 0x8000 0x30]
`;

const rows = {
  // An uncorrected error is the exception #MC.
  "uncorrected": {
    status: VALID | UNCORRECTED | ENABLED | 0x134n,
    mce: true,
    before: 0n,
    trace: delivered,
    stored: true,
  },
  // One that comes while another is handled shuts the guest down.
  "in-progress": {
    status: VALID | UNCORRECTED | ENABLED | 0x134n,
    mce: true,
    before: IN_PROGRESS,
    trace: "shutdown",
    stored: false,
  },
  // And so does one that the guest has not enabled (SDM 3B 16.2: CR4.MCE).
  "not-enabled": {
    status: VALID | UNCORRECTED | ENABLED | 0x134n,
    mce: false,
    before: 0n,
    trace: "shutdown",
    stored: false,
  },
  // A corrected error is in its bank, and the guest goes on.
  "corrected": {
    status: VALID | ENABLED | 0x134n,
    mce: true,
    before: 0n,
    trace: "hlt\n= rcx 0x1",
    stored: true,
  },
};

/** KVM_X86_SET_MCE makes of an error what the machine-check architecture does. */
export default defineCases(
  "state/machine-check",
  rows,
  ({ status, mce, before, trace, stored }) => ({
    spec: [
      "KVM API 4.105: KVM_X86_SETUP_MCE",
      "KVM API 4.106: KVM_X86_SET_MCE",
      "SDM 3B 16.3.2: error-reporting register banks",
    ],
    mode: "long",
    requires: ["KVM_CAP_MCE"],
    machine: mce ? { cr4: { set: 0x40n } } : {},
    handlers: { 18: "handler" },
    guest,
    drive({ vcpu, run, assertEquals }) {
      vcpu.setupMce(10n);
      if (before !== 0n) vcpu.setMsrs([{ index: MCG_STATUS, data: before }]);
      vcpu.setMce({ bank: 1, status, addr: 0x1234000n, misc: 0x85n, mcg_status: RESTART_VALID });
      if (stored) {
        const [now] = vcpu.msrs([MC1_STATUS]);
        assertEquals("IA32_MC1_STATUS", now.data, status);
      }
      run();
    },
    trace: `
    > setup-mce 0xa
    ${before === 0n ? "" : `> set-msrs msr.0x17a=0x4 -> 0x1`}
    > set-mce 0x1
    ${trace}
  `,
  }),
);
