import { asm, defineCases } from "../../mod.ts";

const rows: Record<string, { flags: bigint; image: string }> = {
  "0": { flags: 0x0000n, image: "0x10002" },
  "1": { flags: 0x1000n, image: "0x11002" },
  "2": { flags: 0x2000n, image: "0x12002" },
};

/** At CPL 3 with an IOPL below 3 and no I/O permission bitmap, a port access raises #GP(0). */
export default defineCases("pio/io-privilege-level", rows, ({ flags, image }) => ({
  spec: ["SDM 1 19.5.1: I/O privilege level", "SDM 1 19.5.2: I/O permission bit map"],
  mode: "long",
  machine: { privilege: 3, rflags: { set: flags } },
  handlers: { 13: "general_protection" },
  registers: { rax: 0x85a6c7e8n },
  guest: asm`
    access:
    out 0x10, al
    hlt
    general_protection:
    hlt
  `,
  trace: ({ access }) => `
    hlt
    = mem 0x6fd0 u64 [0x0 ${access} 0x4b ${image} 0x8000 0x43]
    = rsp 0x6fd0
    = cs.selector 0x28
    = cs.access 0xa09b
    = ss.selector 0x0
    = ss.access 0x10000
  `,
}));
