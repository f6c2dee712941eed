import { asm, defineCases } from "../../mod.ts";
import { redirect } from "../interrupt/_apic.ts";

const rows = {
  "message-physical": { raise: "msi", address: 0xfee01000 },
  "message-logical": { raise: "msi", address: 0xfee02004 },
  // The pin's entry names APIC id 1.
  "pin-physical": { raise: "line", low: 0x51, destination: 0x01 },
  "pin-logical": { raise: "line", low: 0x851, destination: 0x02 },
} as const;

/** A device's interrupt for vCPU 1 arrives there and not at vCPU 0. */
export default defineCases("smp/message", rows, (row) => ({
  spec: ["SDM 3A 10.11: message signalled interrupts", "82093AA 3.2.4: destination field"],
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  registers: { rsi: 0xfee00000n, rdi: 0xfec00000n },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xd0], 0x01000000
    ${row.raise === "line" ? redirect(18, row.low, row.destination) : ""}
    wait:
    pause
    cmp byte [0xa000], 1
    jne wait
    out 0x10, al                    ; the device raises it
    mov byte [0xa001], 1
    mov eax, [rsi + 0x220]
    out 0x12, eax
    vcpu1:
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0xd0], 0x02000000
    mov byte [0xa000], 1
    raised:
    pause
    cmp byte [0xa001], 1
    jne raised
    mov eax, [rsi + 0x220]
    out 0x11, eax
  `,
  drive: async ({ runOn, vm }) => {
    const other = runOn(1);
    await runOn(0);
    if (row.raise === "msi") vm.irq.signalMsi({ address: row.address, data: 0x51 });
    else vm.irq.setLine(18, 1);
    await runOn(0);
    await other;
  },
  trace: `
    0: pio out 0x10 u8 0x0
    ${
    row.raise === "msi"
      ? `> msi address=0x${row.address.toString(16)} data=0x51 -> 0x1`
      : "> irq-line 0x12 0x1"
  }
    0: pio out 0x12 u32 0x0
    1: pio out 0x11 u32 0x20000
    0: = rax 0x0
    1: = rax 0x20000
    0: = rflags 0x46
    1: = rflags 0x46
    = mem 0xa000 u8 [0x1 0x1]
  `,
}));
