import { asm, defineCases } from "../../mod.ts";

const VALID = 1n << 63n;
const OVERFLOW = 1n << 62n;
const UNCORRECTED = 1n << 61n;
const ENABLED = 1n << 60n;
const CORRECTED = VALID | ENABLED | 0x134n;
const FATAL = VALID | UNCORRECTED | ENABLED | 0x151n;
const [MCG_STATUS, MCG_CTL] = [0x17a, 0x17b];
const [MC1_CTL, MC1_STATUS, MC1_ADDR, MC1_MISC] = [0x404, 0x405, 0x406, 0x407];

/** What is in the bank, what comes, and what is there then. */
const rows = {
  "corrected-into-nothing": { before: 0n, status: CORRECTED, after: CORRECTED, replaced: true },
  "corrected-over-corrected": {
    before: VALID | 0x1n,
    status: CORRECTED,
    after: CORRECTED | OVERFLOW,
    replaced: true,
  },
  "corrected-over-uncorrected": {
    before: FATAL,
    status: CORRECTED,
    after: FATAL | OVERFLOW,
    replaced: false,
  },
  "uncorrected-over-corrected": {
    before: CORRECTED,
    status: FATAL,
    after: FATAL | OVERFLOW,
    replaced: true,
    exception: true,
  },
  "uncorrected-over-uncorrected": {
    before: FATAL | 0x8n,
    status: FATAL,
    after: FATAL | OVERFLOW,
    replaced: true,
    exception: true,
  },
  "uncorrected-into-nothing": {
    before: 0n,
    status: FATAL,
    after: FATAL,
    replaced: true,
    exception: true,
  },
  // The reporting of uncorrected errors is off, of all banks or of this one.
  "uncorrected-all-disabled": {
    before: CORRECTED,
    disabled: MCG_CTL,
    status: FATAL,
    after: CORRECTED,
    replaced: false,
  },
  "uncorrected-bank-disabled": {
    before: CORRECTED,
    disabled: MC1_CTL,
    status: FATAL,
    after: CORRECTED,
    replaced: false,
  },
  "corrected-bank-disabled": {
    before: 0n,
    disabled: MC1_CTL,
    status: CORRECTED,
    after: CORRECTED,
    replaced: true,
  },
} satisfies Record<string, Row>;

interface Row {
  readonly before: bigint;
  readonly disabled?: number;
  readonly status: bigint;
  readonly after: bigint;
  /** Whether address and further information are those of the one that came. */
  readonly replaced: boolean;
  readonly exception?: boolean;
}

const hex = (value: bigint) => `0x${value.toString(16)}`;

/** Which of two errors a bank keeps, and that it says that there was another. */
export default defineCases("state/machine-check-overwrite", rows, (row: Row) => ({
  spec: [
    "KVM API 4.106: KVM_X86_SET_MCE",
    "SDM 3B 16.3.2.2.1: overwrite rules for machine check overflow",
    "SDM 3B 16.3.1.3: IA32_MCG_CTL; 16.3.2.1: IA32_MCi_CTL",
  ],
  mode: "long",
  requires: ["KVM_CAP_MCE"],
  machine: { cr4: { set: 0x40n } },
  handlers: { 18: "handler" },
  guest: asm`
    mov cl, 1
    hlt
    handler:
    inc ebx
    hlt
  `,
  drive({ vcpu, assertEquals }) {
    vcpu.setupMce(0x10an);
    vcpu.setMsrs([
      { index: MCG_CTL, data: 2n ** 64n - 1n },
      { index: MC1_CTL, data: 2n ** 64n - 1n },
      { index: MC1_STATUS, data: 0n },
    ]);
    if (row.before !== 0n) {
      // Of an uncorrected one with no action to be taken nothing but its bank learns.
      const { before: status } = row;
      vcpu.setMce({ bank: 1, status, addr: 0x5678000n, misc: 0x86n, mcg_status: 0n });
    }
    if (row.disabled !== undefined) vcpu.setMsrs([{ index: row.disabled, data: 0n }]);
    const { status } = row;
    vcpu.setMce({ bank: 1, status, addr: 0x1234000n, misc: 0x85n, mcg_status: 5n });
    const values = vcpu.msrs([MC1_STATUS, MC1_ADDR, MC1_MISC]).map(({ data }) => hex(data));
    const [addr, misc] = row.replaced
      ? [0x1234000n, 0x85n]
      : row.before === 0n
      ? [0n, 0n]
      : [0x5678000n, 0x86n];
    assertEquals("status, address, miscellaneous", values, [hex(row.after), hex(addr), hex(misc)]);
    // The global status is the exception's; an error that raises none is in its bank alone.
    assertEquals("IA32_MCG_STATUS", vcpu.msrs([MCG_STATUS])[0]?.data, row.exception ? 5n : 0n);
  },
  trace: `
    > setup-mce 0x10a
    > set-msrs msr.0x17b=0xffffffffffffffff msr.0x404=0xffffffffffffffff msr.0x405=0x0 -> 0x3
    ${row.before === 0n ? "" : "> set-mce 0x1"}
    ${row.disabled === undefined ? "" : `> set-msrs msr.0x${row.disabled.toString(16)}=0x0 -> 0x1`}
    > set-mce 0x1
    hlt
    ${
    row.exception
      ? `
        = rbx 0x1
        = rsp 0x7fd8
        = mem 0x7fd8 u64 [0x8000 0x28 * 0x8000 0x30]
      `
      : "= rcx 0x1"
  }
  `,
}));
