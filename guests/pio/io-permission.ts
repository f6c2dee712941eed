import { asm, defineCases } from "../../mod.ts";

interface Row {
  /** Ports whose bits are 0. */
  readonly ports: readonly (number | { readonly first: number; readonly last: number })[];
  /** Of DX, where the instruction uses it. */
  readonly port?: number;
  readonly instruction: string;
  /** What is promised of an access that is allowed; a denied one has no exit. */
  readonly exit?: string;
  /** What else is different at the end. */
  readonly state?: string;
}

const rows: Record<string, Row> = {
  "out-8": { ports: [0x10], instruction: "out 0x10, al", exit: "pio out 0x10 u8 0xe8" },
  "out-16": { ports: [0x10, 0x11], instruction: "out 0x10, ax", exit: "pio out 0x10 u16 0xc7e8" },
  "out-32": {
    ports: [{ first: 0x10, last: 0x13 }],
    instruction: "out 0x10, eax",
    exit: "pio out 0x10 u32 0x85a6c7e8",
  },
  "in-8": {
    ports: [0x3fd],
    port: 0x3fd,
    instruction: "in al, dx",
    exit: "pio in 0x3fd u8 -> 0x60",
    state: "= rax 0x1122334485a6c760",
  },
  // Bits of two bytes of the bitmap, from each offset that crosses.
  "in-16-two-bytes": {
    ports: [0x17, 0x18],
    instruction: "in ax, 0x17",
    exit: "pio in 0x17 u16 -> 0x9f3b",
    state: "= rax 0x1122334485a69f3b",
  },
  "out-32-two-bytes": {
    ports: [{ first: 0x15, last: 0x18 }],
    instruction: "out 0x15, eax",
    exit: "pio out 0x15 u32 0x85a6c7e8",
  },
  "last-port": {
    ports: [0xffff],
    port: 0xffff,
    instruction: "out dx, al",
    exit: "pio out 0xffff u8 0xe8",
  },
  "insb": {
    ports: [0x10],
    port: 0x10,
    instruction: "insb",
    exit: "pio in 0x10 u8 -> 0x60",
    state: "= mem 0xa000 u8 0x60\n= rdi 0xa001",
  },
  "outsw": {
    ports: [0x10, 0x11],
    port: 0x10,
    instruction: "outsw",
    exit: "pio out 0x10 u16 0x8281",
    state: "= rsi 0xb002",
  },
  "rep-outsb": {
    ports: [0x10],
    port: 0x10,
    instruction: "rep outsb",
    exit: "pio out 0x10 u8 [0x81 0x82]",
    state: "= rsi 0xb002\n= rcx 0x0",
  },
  "rep-insd": {
    ports: [{ first: 0x14, last: 0x17 }],
    port: 0x14,
    instruction: "rep insd",
    exit: "pio in 0x14 u32 -> [0x81808384 0x12131415]",
    state: "= mem 0xa000 u32 [0x81808384 0x12131415]\n= rdi 0xa008\n= rcx 0x0",
  },
  "denied-out-8": { ports: [0xf, 0x11], instruction: "out 0x10, al" },
  "denied-in-8": { ports: [0xf, 0x11], instruction: "in al, 0x10" },
  "denied-out-dx": { ports: [0x80, 0x8001], port: 0x8000, instruction: "out dx, al" },
  "denied-first-of-16": { ports: [0x11, 0x12], instruction: "out 0x10, ax" },
  "denied-last-of-16": { ports: [0xf, 0x10], instruction: "in ax, 0x10" },
  "denied-last-of-16-two-bytes": { ports: [0x16, 0x17], instruction: "out 0x17, ax" },
  "denied-first-of-16-two-bytes": { ports: [0x18, 0x19], instruction: "in ax, 0x17" },
  "denied-first-of-32": { ports: [{ first: 0x11, last: 0x14 }], instruction: "out 0x10, eax" },
  "denied-second-of-32": { ports: [0x10, 0x12, 0x13], instruction: "in eax, 0x10" },
  "denied-third-of-32": { ports: [0x10, 0x11, 0x13], instruction: "out 0x10, eax" },
  "denied-last-of-32": { ports: [0x10, 0x11, 0x12], instruction: "in eax, 0x10" },
  "denied-last-of-32-two-bytes": {
    ports: [{ first: 0x15, last: 0x17 }],
    instruction: "out 0x15, eax",
  },
  // Beyond port 0xffff is the closing byte of the bitmap, all ones.
  "denied-16-at-last-port": { ports: [0xffff], port: 0xffff, instruction: "out dx, ax" },
  "denied-insb": { ports: [0xf, 0x11], port: 0x10, instruction: "insb" },
  "denied-rep-insd": {
    ports: [0x10, 0x11, 0x12],
    port: 0x10,
    instruction: "rep insd",
  },
  "denied-outsb": { ports: [0xf, 0x11], port: 0x10, instruction: "outsb" },
  "denied-rep-outsw": { ports: [0x10], port: 0x10, instruction: "rep outsw" },
};

/**
 * At CPL 3 with IOPL 0, a port access passes when each of its ports has a 0 in the TSS's I/O permission
 * bitmap, and raises #GP(0) at its own address, without an exit, when one has not. An access that
 * passes is followed by the HLT at CPL 3, which raises #GP(0) at its address.
 */
export default defineCases(
  "pio/io-permission",
  rows,
  ({ ports, port = 0, instruction, exit = "", state = "" }) => ({
    spec: ["KVM API 5: KVM_EXIT_IO", "SDM 1 19.5.2: I/O permission bit map"],
    mode: "long",
    machine: { privilege: 3, ioPorts: ports },
    handlers: { 13: "general_protection" },
    registers: {
      rax: 0x1122334485a6c7e8n,
      rcx: 2n,
      rdx: BigInt(port),
      rdi: 0xa000n,
      rsi: 0xb000n,
    },
    guest: asm`
      access:
      ${instruction}
      passed:
      hlt
      general_protection:
      hlt
    `,
    drive: ({ write }) => write(0xb000, Uint8Array.of(0x81, 0x82, 0x83, 0x84)),
    trace: ({ access, passed }) => `
      ${exit}
      hlt
      ${state}
      = mem 0x6fd0 u64 [0x0 ${exit === "" ? access : passed} 0x4b 0x10002 0x8000 0x43]
      = rsp 0x6fd0
      = cs.selector 0x28
      = cs.access 0xa09b
      = ss.selector 0x0
      = ss.access 0x10000
    `,
  }),
);
