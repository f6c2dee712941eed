import { asm, defineCases } from "../../mod.ts";

interface Row {
  /** Vectors in service. */
  service: readonly number[];
  /** Vectors requested. */
  request?: readonly number[];
  /** Bits 7 to 4 of the PPR in turn: at first, and behind each EOI. */
  priorities: readonly number[];
}

const rows: Record<string, Row> = {
  none: { service: [], priorities: [0, 0] },
  one: { service: [0x62], priorities: [0x60, 0] },
  lower: { service: [0x31], priorities: [0x30, 0, 0] },
  several: { service: [0x31, 0x51, 0x5f, 0xe2], priorities: [0xe0, 0x50, 0x50, 0x30, 0] },
  // What is requested of a lower class changes nothing.
  "and-request": { service: [0x31, 0x92], request: [0x85], priorities: [0x90, 0x30, 0] },
};

/** EOIs end what KVM_SET_LAPIC put in service, highest first, whatever was in service before. */
export default defineCases("state/lapic-in-service", rows, ({ service, request, priorities }) => ({
  spec: [
    "KVM API 4.58: KVM_SET_LAPIC",
    "SDM 3A 10.8.3.1: task and processor priorities",
    "SDM 3A 10.8.5: signaling interrupt servicing completion",
  ],
  mode: "long",
  irqchip: "kernel",
  registers: { rsi: 0xfee00000n },
  handlers: { 0x51: "handler" },
  guest: asm`
    mov dword [rsi + 0xf0], 0x1ff
    mov dword [rsi + 0x300], 0x44051; to itself
    push qword 0x202
    popfq                           ; no shadow
    taken:
    jmp taken
    handler:
    mov ebx, [rsi + 0xa0]           ; PPR
    out 0x10, al                    ; the host sets another state
    ${
    priorities.map(() => `
      mov eax, [rsi + 0xa0]
      out 0x11, al
      mov dword [rsi + 0xb0], 0     ; EOI
    `).join("\n")
  }
    xor eax, eax
    ${[...Array(8).keys()].map((word) => `or eax, [rsi + ${0x100 + word * 0x10}]`).join("\n")}
    out 0x12, eax
    out 0xf4, al
  `,
  drive({ run, vcpu }) {
    run();
    const page = vcpu.lapic();
    const view = new DataView(page.buffer);
    view.setUint32(0x120, 0, true);
    const set = (offset: number, vector: number) => {
      const at = offset + (vector >> 5) * 0x10;
      view.setUint32(at, (view.getUint32(at, true) | 1 << (vector & 31)) >>> 0, true);
    };
    for (const vector of service) set(0x100, vector);
    for (const vector of request ?? []) set(0x200, vector);
    vcpu.setLapic(page);
  },
  trace: ({ taken }) => `
    pio out 0x10 u8 0x0
    > set-lapic
    ${priorities.map((priority) => `pio out 0x11 u8 0x${priority.toString(16)}`).join("\n")}
    pio out 0x12 u32 0x0
    pio out 0xf4 u8 0x0
    = rbx 0x50
    = rsp 0x7fd8
    = rflags 0x46
    = mem 0x7fd8 u64 [${taken} 0x28 0x202 0x8000 0x30]
  `,
}));
