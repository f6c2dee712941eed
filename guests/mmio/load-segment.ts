import { asm, defineCases, type ModeName } from "../../mod.ts";

type Row = { mode: ModeName; prepare: string; instruction: string; read: string; state: string };

const real = "mov si, 0x2000\nmov es, si";
const realState = "= rsi 0x2000\n= es.selector 0x2000\n= es.base 0x20000";
/** A writable data segment at 0x50000000 with a limit of 64 KiB. */
const descriptors = { 0x78: 0x500093000000ffffn };

const rows: Record<string, Row> = {
  "real-mov-gs": {
    mode: "real",
    prepare: real,
    instruction: "mov gs, [es:di]",
    read: "0x21234 u16 -> 0x9abc",
    state: `${realState}\n= gs.selector 0x9abc\n= gs.base 0x9abc0`,
  },
  "protected-mov-fs": {
    mode: "protected",
    prepare: "",
    instruction: "mov fs, [0xd0000000 + edi]",
    read: "0xd0001234 u16 -> 0x78",
    state: "= fs.selector 0x78\n= fs.base 0x50000000\n= fs.limit 0xffff\n= fs.access 0x93",
  },
  "protected-mov-fs-null": {
    mode: "protected",
    prepare: "",
    instruction: "mov fs, [0xd0000000 + edi]\nmov fs, [0xd0000000 + edi]",
    read: "0xd0001234 u16 -> 0x0\nmmio read 0xd0001234 u16 -> 0x10",
    state: "",
  },
  // A far pointer may be read in any pieces; its offset comes first.
  "real-les": {
    mode: "real",
    prepare: real,
    instruction: "les bx, [es:di]",
    read: "0x21234 u16 -> [0x5678 0x9abc]",
    state: "= rsi 0x2000\n= rbx 0x5678\n= es.selector 0x9abc\n= es.base 0x9abc0",
  },
  "real-lds": {
    mode: "real",
    prepare: real,
    instruction: "lds bx, [es:di]",
    read: "0x21234 u16 -> [0x5678 0x9abc]",
    state: `${realState}\n= rbx 0x5678\n= ds.selector 0x9abc\n= ds.base 0x9abc0`,
  },
  "protected-lgs": {
    mode: "protected",
    prepare: "",
    instruction: "lgs ebx, [0xd0000000 + edi]",
    read: "0xd0001234 u16 -> [0x5678 0x9abc 0x78]",
    state: "= rbx 0x9abc5678\n= gs.selector 0x78\n= gs.base 0x50000000\n= gs.limit 0xffff\n" +
      "= gs.access 0x93",
  },
  "protected-lss": {
    mode: "protected",
    prepare: "",
    instruction: "lss esp, [0xd0000000 + edi]\nnop",
    read: "0xd0001234 u16 -> [0x7800 0x0 0x10]",
    state: "= rsp 0x7800",
  },
};

/** A selector that comes from a device is read as 16 bits, and loads its segment. */
export default defineCases(
  "mmio/load-segment",
  rows,
  ({ mode, prepare, instruction, read, state }) => ({
    spec: ["SDM 2B: MOV", "SDM 2B: LDS/LES/LFS/LGS/LSS", "KVM API 5: KVM_EXIT_MMIO"],
    mode,
    machine: mode === "real" ? undefined : { descriptors },
    registers: { rdi: 0x1234n },
    guest: asm`
      ${prepare}
      ${instruction}
      hlt
    `,
    trace: `
      mmio read ${read}
      hlt
      ${state}
    `,
  }),
);
