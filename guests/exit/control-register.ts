import { asm, defineCases, type ModeName } from "../../mod.ts";

interface Row {
  mode: ModeName;
  register: "cr0" | "cr2" | "cr3" | "cr4" | "cr8";
  /** What MOV reads first, then writes, then reads again. */
  before: bigint;
  write: bigint;
  after: bigint;
}

const rows: Record<string, Row> = {
  // MP, TS, NE, WP and AM; ET cannot be cleared.
  "cr0-real": { mode: "real", register: "cr0", before: 0x10n, write: 0x5002an, after: 0x5003an },
  "cr0-protected": {
    mode: "protected",
    register: "cr0",
    before: 0x31n,
    write: 0x5000bn,
    after: 0x5001bn,
  },
  "cr0-long": {
    mode: "long",
    register: "cr0",
    before: 0x80010031n,
    write: 0x8004001bn,
    after: 0x8004001bn,
  },
  // CD without NW.
  "cr0-cache-disable": {
    mode: "protected",
    register: "cr0",
    before: 0x31n,
    write: 0x40000031n,
    after: 0x40000031n,
  },
  "cr2-protected": {
    mode: "protected",
    register: "cr2",
    before: 0x0n,
    write: 0x89abcdefn,
    after: 0x89abcdefn,
  },
  "cr2-long": {
    mode: "long",
    register: "cr2",
    before: 0x0n,
    write: 0x0123_4567_89ab_cdefn,
    after: 0x0123_4567_89ab_cdefn,
  },
  // Paging is off: any address will do.
  "cr3-protected": {
    mode: "protected",
    register: "cr3",
    before: 0x0n,
    write: 0x12345000n,
    after: 0x12345000n,
  },
  // PWT and PCD.
  "cr3-long": {
    mode: "long",
    register: "cr3",
    before: 0x10000n,
    write: 0x10018n,
    after: 0x10018n,
  },
  // TSD, DE, PSE and MCE.
  "cr4-real": { mode: "real", register: "cr4", before: 0x0n, write: 0x5cn, after: 0x5cn },
  "cr4-protected": {
    mode: "protected",
    register: "cr4",
    before: 0x0n,
    write: 0x1cn,
    after: 0x1cn,
  },
  "cr4-long": { mode: "long", register: "cr4", before: 0x20n, write: 0xacn, after: 0xacn },
  "cr8-long": { mode: "long", register: "cr8", before: 0x0n, write: 0xfn, after: 0xfn },
};

/** MOV reads and writes control registers whole, and KVM does its part of it without an exit. */
export default defineCases("exit/control-register", rows, (row) => ({
  spec: ["SDM 2B: MOV to and from control registers", "SDM 3A 2.5: control registers"],
  mode: row.mode,
  guest: asm`
    mov ${row.mode === "long" ? "rbx" : "ebx"}, ${row.register}
    mov ${row.register}, ${row.mode === "long" ? "rax" : "eax"}
    mov ${row.mode === "long" ? "rcx" : "ecx"}, ${row.register}
    hlt
  `,
  registers: { rax: row.write, rbx: 0xbbbbbbbbn, rcx: 0xccccccccn },
  trace: `
    hlt
    = rax 0x${row.write.toString(16)}
    = rbx 0x${row.before.toString(16)}
    = rcx 0x${row.after.toString(16)}
    = ${row.register} 0x${row.after.toString(16)}
    = rflags *
  `,
}));
