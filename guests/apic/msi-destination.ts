import { asm, defineCases } from "../../mod.ts";

interface Row {
  logical?: number;
  format?: number;
  /** Destination (bits 19 to 12), redirection hint (3), destination mode (2). */
  address: number;
  data?: number;
  arrives: boolean;
}

const flat = { logical: 0x02000000, format: 0xffffffff };
const cluster = { logical: 0x21000000, format: 0x0fffffff };

const rows: Record<string, Row> = {
  "physical-self": { address: 0xfee00000, arrives: true },
  "physical-other": { address: 0xfee01000, arrives: false },
  "physical-broadcast": { address: 0xfeeff000, arrives: true },
  "physical-with-hint": { address: 0xfee00008, arrives: true },
  "flat-self": { ...flat, address: 0xfee02004, arrives: true },
  "flat-others": { ...flat, address: 0xfeefd004, arrives: false },
  "flat-with-hint": { ...flat, address: 0xfee0300c, arrives: true },
  "cluster-self": { ...cluster, address: 0xfee21004, arrives: true },
  "cluster-other": { ...cluster, address: 0xfee11004, arrives: false },
  "lowest-priority": { ...flat, address: 0xfee0200c, data: 0x151, arrives: true },
  // Level bits matter to a level-triggered message alone.
  "edge-with-level-bit": { address: 0xfee00000, data: 0x4051, arrives: true },
};

/** A message goes where its address says, and KVM_SIGNAL_MSI tells whether it arrived. */
export default defineCases("apic/msi-destination", rows, (row) => ({
  spec: ["SDM 3A 10.11: message signalled interrupts", "KVM API 4.70: KVM_SIGNAL_MSI"],
  requires: ["KVM_CAP_SIGNAL_MSI"],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xe0], ${row.format ?? 0xffffffff}
    mov dword [rsi + 0xd0], ${row.logical ?? 0}
    out 0x10, al
    mov ebx, [rsi + 0x220]
    mov ecx, [rsi + 0x1a0]
    out 0xf4, al
  `,
  drive({ run, vm }) {
    run();
    vm.irq.signalMsi({ address: row.address, data: row.data ?? 0x51 });
  },
  trace: `
    pio out 0x10 u8 0x0
    > msi address=0x${row.address.toString(16)} data=0x${(row.data ?? 0x51).toString(16)} -> ${
    row.arrives ? "0x1" : "0x0"
  }
    pio out 0xf4 u8 0x0
    = rbx ${row.arrives ? "0x20000" : "0x0"}
  `,
}));
