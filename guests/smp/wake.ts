import { asm, defineCases, type Requirement } from "../../mod.ts";

interface Row {
  flags: string;
  low: number;
  handled: string;
  requires?: Requirement[];
}

const rows: Record<string, Row> = {
  // A fixed interrupt, with IF set.
  interrupt: { flags: "sti", low: 0x4051, handled: "0x1" },
  // An NMI, whatever IF is.
  nmi: {
    flags: "cli",
    low: 0x4400,
    handled: "0x2",
    requires: [{
      notEmulatedBy: "bochs",
      because: "now and then it delivers the NMI that ends HLT two instructions late",
    }],
  },
};

/** An IPI wakes the vCPU that it is for out of HLT, and it goes on behind it. */
export default defineCases("smp/wake", rows, ({ flags, low, handled, requires }) => ({
  spec: ["SDM 2A: HLT", "SDM 3A 10.6.1: interrupt command register (delivery mode)"],
  mode: "long",
  irqchip: "kernel",
  vcpus: 2,
  requires,
  registers: { rsi: 0xfee00000n },
  handlers: { 2: "at_nmi", 0x51: "at_interrupt" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    wait:
    pause
    cmp byte [0xa000], 1
    jne wait
    mov dword [rsi + 0x310], 0x01000000
    mov dword [rsi + 0x300], ${low}
    out 0x10, al
    vcpu1:
    mov dword [rsi + 0xf0], 0x1ff
    ${flags}
    mov byte [0xa000], 1
    hlt
    woken:
    mov al, bl
    out 0x11, al
    at_nmi:
    mov bl, 2
    iretq
    at_interrupt:
    mov bl, 1
    mov dword [rsi + 0xb0], 0
    iretq
  `,
  trace: `
    0: pio out 0x10 u8 0x0
    1: pio out 0x11 u8 ${handled}
    1: = rax ${handled}
    1: = rbx ${handled}
    0: = rflags 0x46
    1: = rflags *
    = mem 0xa000 u8 0x1
    = mem 0x7bd8 u64 [* 0x28 * 0x7c00 0x30]
  `,
}));
