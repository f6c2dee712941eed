import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { ports: readonly number[]; iopl: bigint; allowed: boolean }> = {
  "allowed-with-iopl-0": { ports: [0x10], iopl: 0x0000n, allowed: true },
  "denied-with-iopl-3": { ports: [0xf, 0x11], iopl: 0x3000n, allowed: false },
};

/**
 * In virtual-8086 mode the I/O permission bitmap alone decides, whatever IOPL is. The HLT after an
 * access that passes raises #GP(0) in its turn.
 */
export default defineCases("pio/io-permission-virtual-8086", rows, ({ ports, iopl, allowed }) => ({
  spec: ["SDM 3B 21.3.2.1: protected I/O in virtual-8086 mode", "SDM 1 19.5.2"],
  mode: "protected",
  requires: [{
    notEmulatedBy: "qemu-tcg",
    because: "it aborts at a stack switch through a busy 32-bit TSS",
  }],
  machine: { ioPorts: ports },
  handlers: { 13: "general_protection" },
  registers: { rax: 0xe8n },
  guest: asm`
    bits 16
    access:
    out 0x10, al
    passed:
    hlt
    bits 32
    general_protection:
    hlt
  `,
  drive: ({ vcpu }) => {
    const sregs = vcpu.sregs();
    // Base 16 times the selector, limit 0xffff, read/write, DPL 3 (SDM 3C 27.3.1.2).
    const segment = { ...sregs.ds, selector: 0, limit: 0xffff, type: 3, dpl: 3, db: 0, g: 0 };
    const data = { ds: segment, es: segment, fs: segment, gs: segment, ss: segment };
    vcpu.setRegs({ ...vcpu.regs(), rflags: 0x20002n | iopl });
    vcpu.setSregs({ ...sregs, ...data, cs: segment });
  },
  trace: ({ access, passed }) => `
    > set-regs
    > set-sregs
    ${allowed ? "pio out 0x10 u8 0xe8" : ""}
    hlt
    = mem 0x6fd8 u32 [0x0 ${allowed ? passed : access} 0x0 * 0x8000 0x0 0x0 0x0 0x0 0x0]
    = rsp 0x6fd8
    = rflags 0x${(2n | iopl).toString(16)}
    = cs.selector 0x8
    = ss.selector 0x10
    = ds.selector 0x0
    = ds.access 0x10000
    = es.selector 0x0
    = es.access 0x10000
    = fs.selector 0x0
    = fs.access 0x10000
    = gs.selector 0x0
    = gs.access 0x10000
  `,
}));
