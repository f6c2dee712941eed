import { asm, defineCases } from "../../mod.ts";
import { localApics, vectors } from "../apic/_local_apics.ts";

const [VALID, UNCORRECTED, ENABLED] = [1n << 63n, 1n << 61n, 1n << 60n];
const [CORRUPT, SIGNALED, ACTION] = [1n << 57n, 1n << 56n, 1n << 55n];
/** An uncorrected error of which no action is required. */
const NO_ACTION = VALID | UNCORRECTED | ENABLED | 0x9fn;
/** MCG_CMCI_P of IA32_MCG_CAP, with 4 banks. */
const CAPABILITIES = 1n << 10n | 4n;
/** CMCI_EN of IA32_MCi_CTL2. */
const INTERRUPT = 1n << 30n;
const [LVT_CMCI, MASKED, BANK, IRR] = [0x2f0, 0x10000, 2, 0x200];

interface Row {
  readonly status?: bigint;
  /** The banks whose IA32_MCi_CTL2 asks for the interrupt. */
  readonly asking?: readonly number[];
  readonly entry?: number;
  /** Vectors in IRR. */
  readonly requested: readonly number[];
}

const rows: Record<string, Row> = {
  "asked-for": { requested: [0x51] },
  "not-asked-for": { asking: [], requested: [] },
  "of-another-bank": { asking: [0, 1, 3], requested: [] },
  "masked": { entry: MASKED | 0x51, requested: [] },
  "another-vector": { entry: 0xfe, requested: [0xfe] },
  // A machine-check exception is what tells of these, not the interrupt.
  "action-required": { status: NO_ACTION | SIGNALED | ACTION, requested: [] },
  "signaled": { status: NO_ACTION | SIGNALED, requested: [] },
  "context-corrupt": { status: NO_ACTION | CORRUPT, requested: [] },
};

/** An uncorrected error without action is told by the corrected machine-check interrupt. */
export default defineCases("state/machine-check-corrected-interrupt", rows, (row) => ({
  spec: [
    "KVM API 4.106: KVM_X86_SET_MCE",
    "SDM 3B 16.5: corrected machine-check error interrupt",
    "SDM 3B 16.6.3: UCR error classification (UCNA)",
    "SDM 3A 11.5.1: local vector table, CMCI",
  ],
  mode: "real",
  requires: [{ backend: ["vmx"] }, "KVM_CAP_MCE", "KVM_CAP_IRQCHIP"],
  guest: asm`hlt`,
  drive: (context) => {
    const { status = NO_ACTION, asking = [BANK], entry = 0x51, requested } = row;
    const local = localApics(context, [{ vcpu: 0 }]);
    using _vm = local.vm;
    const vcpu = local.vcpus[0]!;
    vcpu.setupMce(CAPABILITIES);
    vcpu.setSregs({ ...vcpu.sregs(), cr4: 0x40n });
    vcpu.setMsrs(asking.map((bank) => ({ index: 0x280 + bank, data: INTERRUPT })));
    const page = vcpu.lapic();
    new DataView(page.buffer).setUint32(LVT_CMCI, entry, true);
    vcpu.setLapic(page);
    vcpu.setMce({ bank: BANK, status, addr: 0x1234000n, misc: 0x85n, mcg_status: 0n });
    context.assertEquals("interrupts", vectors(vcpu, IRR), requested);
    const bank = [1, 2, 3].map((at) => 0x400 + 4 * BANK + at);
    context.assertEquals(
      "the bank",
      vcpu.msrs(bank).map(({ data }) => data),
      [status, 0x1234000n, 0x85n],
    );
    const { exception } = vcpu.events();
    context.assertEquals(
      "#MC",
      exception.injected | exception.pending,
      status === NO_ACTION ? 0 : 1,
    );
  },
  trace: `hlt`,
}));
