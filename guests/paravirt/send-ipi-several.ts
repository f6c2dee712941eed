import { asm, defineCases, type ModeName } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";
import { vectors } from "../apic/_local_apics.ts";

/** Further APIC ids. */
const ids = [31, 32, 63, 64, 127] as const;

interface Row {
  mode?: ModeName;
  /** Bitmap of APIC ids, lower and upper half, from the id `first` on. */
  low?: bigint;
  high?: bigint;
  first?: bigint;
  icr?: bigint;
  /** The ids that it arrives at. */
  accepted: readonly (typeof ids)[number][];
  nmi?: true;
}

const rows: Record<string, Row> = {
  "lower-half": { low: 1n << 31n | 1n << 32n | 1n << 63n, accepted: [31, 32, 63] },
  "upper-half": { high: 1n | 1n << 63n, accepted: [64, 127] },
  "from-another": { low: 1n | 1n << 32n, high: 1n << 31n, first: 32n, accepted: [32, 64, 127] },
  "32-bit-lower-half": { mode: "protected", low: 1n << 31n, accepted: [31] },
  "32-bit-upper-half": { mode: "protected", high: 1n | 1n << 31n, accepted: [32, 63] },
  "nmi": { low: 1n << 32n, high: 1n, icr: 0x400n, accepted: [32, 64], nmi: true },
};

/** KVM_HC_SEND_IPI sends to each APIC whose bit is set, halves of as many bits as a register has. */
export default defineCases("paravirt/send-ipi-several", byEachCall(rows), ({ row, call }) => ({
  spec: "KVM x86 hypercalls: KVM_HC_SEND_IPI",
  mode: row.mode ?? "long",
  irqchip: "kernel",
  requires: [
    call.requires,
    { cpuid: "KVM-PV-SEND-IPI" },
    { capability: "KVM_CAP_MAX_VCPU_ID", atLeast: 128 },
  ],
  registers: {
    rbx: row.low ?? 0n,
    rcx: row.high ?? 0n,
    rdx: row.first ?? 0n,
    rsi: row.icr ?? 0x51n,
  },
  guest: asm`
    mov eax, 10
    ${call.instruction}
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    const vcpus = ids.map((id) => {
      const vcpu = vm.createVcpu(id);
      const page = vcpu.lapic();
      new DataView(page.buffer).setUint32(0xf0, 0x1ff, true);
      vcpu.setLapic(page);
      return vcpu;
    });
    run();
    vcpus.forEach((vcpu, index) => {
      const id = ids[index]!;
      const arrived = row.accepted.includes(id);
      assertEquals(`IRR of ${id}`, vectors(vcpu, 0x200), arrived && !row.nmi ? [0x51] : []);
      assertEquals(`NMI of ${id}`, vcpu.events().nmi.pending, arrived && row.nmi ? 1 : 0);
      vcpu[Symbol.dispose]();
    });
  },
  trace: `
    ${ids.map(() => "> set-lapic").join("\n")}
    pio out 0xf4 u8 0x${row.accepted.length}
    = rax 0x${row.accepted.length}
  `,
}));
