import { asm, defineCases } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

/** Registers that the host may write and the guest may not, or not so. */
const rows = {
  "processor-index": { index: 0x40000002, data: 7n },
  "last-processor-index": { index: 0x40000002, data: 1023n },
  "version": { index: 0x40000081, data: 0x20001n },
  "source-masked-0": { index: 0x40000093, data: 0n },
  "events": { index: 0x40000082, data: 0xb001n },
  "messages": { index: 0x40000083, data: 0xc001n },
  "control": { index: 0x40000080, data: 1n },
  "timer-configuration": { index: 0x400000b2, data: 0x20002n },
  "timer-count": { index: 0x400000b3, data: 0x123456789an },
  "counter-emulation-status": { index: 0x40000108, data: 5n },
  "crash-parameter-2": { index: 0x40000102, data: 0x1122334455667788n },
  "crash-control": { index: 0x40000105, data: 0x8000000000000000n },
  "debug-options": { index: 0x400000ff, data: 4n },
  "debug-status": { index: 0x400000f2, data: 0x80020005n },
} as const;

/** What the host writes into a synthetic register, the guest reads, without an exit. */
export default defineCases("hyperv/synic-host", rows, ({ index, data }) => ({
  spec: ["KVM API 4.18: KVM_SET_MSRS", "TLFS appendix F: synthetic MSRs"],
  mode: "long",
  irqchip: "kernel",
  requires: [...requires, "KVM_CAP_HYPERV_SYNIC2"],
  registers: { rcx: BigInt(index) },
  ...underHyperv({
    guest: asm`
      rdmsr
      out 0xf4, al
    `,
    trace: `
      > enable hyperv-synic2
      > set-msrs msr.0x${index.toString(16)}=0x${data.toString(16)} -> 0x1
      pio out 0xf4 u8 0x${(data & 0xffn).toString(16)}
      = rax 0x${(data & 0xffffffffn).toString(16)}
      = rdx 0x${(data >> 32n).toString(16)}
    `,
  }, ({ vcpu, assertEquals }) => {
    vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2");
    vcpu.setMsrs([{ index, data }]);
    assertEquals("the register as the host reads it", vcpu.msrs([index])[0].data, data);
  }),
}));
