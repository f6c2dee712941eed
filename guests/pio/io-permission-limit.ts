import { asm, defineCases } from "../../mod.ts";

/** The lower half of a busy TSS at 0x3000, of another limit than the one that the GDT has. */
function taskState(limit: number): bigint {
  return 0x00008b0030000000n | BigInt(limit);
}

// The bitmap begins at 0x68 of the TSS: port 0x20 has the first bit of its byte 4, at 0x6c.
const rows: Record<string, { limit: number; allowed: boolean }> = {
  "both-bytes-inside": { limit: 0x6d, allowed: true },
  "second-byte-outside": { limit: 0x6c, allowed: false },
  "first-byte-outside": { limit: 0x6b, allowed: false },
  "no-bitmap": { limit: 0x67, allowed: false },
};

/**
 * What of the I/O permission bitmap lies beyond the TSS's limit denies. For every access the processor
 * reads two bytes of the bitmap, so the second must be inside too, though no bit of it counts here.
 */
export default defineCases("pio/io-permission-limit", rows, ({ limit, allowed }) => ({
  spec: "SDM 1 19.5.2: I/O permission bit map",
  mode: "long",
  machine: { privilege: 3, ioPorts: [0x20], descriptors: { 0x68: taskState(limit) } },
  handlers: { 13: "general_protection" },
  registers: { rax: 0x85a6c7e8n },
  guest: asm`
    access:
    out 0x20, al
    passed:
    hlt
    general_protection:
    hlt
  `,
  trace: ({ access, passed }) => `
    ${allowed ? "pio out 0x20 u8 0xe8" : ""}
    hlt
    = mem 0x6fd0 u64 [0x0 ${allowed ? passed : access} 0x4b 0x10002 0x8000 0x43]
    = rsp 0x6fd0
    = cs.selector 0x28
    = cs.access 0xa09b
    = ss.selector 0x0
    = ss.access 0x10000
  `,
}));
