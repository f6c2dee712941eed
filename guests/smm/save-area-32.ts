import { asm, defineCases, type MachineOptions, type ModeName } from "../../mod.ts";
import { without } from "../_cpuid.ts";
import { comeToHlt, completed, prepared, requires, SAVED, store } from "./_smram.ts";

interface Row {
  mode: ModeName;
  machine?: Omit<MachineOptions, "handlers">;
  /** What the handler does before RSM. */
  handler?: string;
  /** Words of the save area by offset from SMBASE, as the processor saves them. */
  saved: Readonly<Record<number, string>>;
  /** What the handler changed of them. */
  stored?: Readonly<Record<number, string>>;
  /** What else is different behind RSM. */
  state?: string;
  /** RSM meets a state that no processor can have. */
  shutdown?: true;
}

const flat = { cs: "0x8", data: "0x10", tr: "0x68" };
const selectors = ({ cs, data, tr }: typeof flat) => ({
  0xffa8: data,
  0xffac: cs,
  0xffb0: data,
  0xffb4: data,
  0xffb8: data,
  0xffbc: data,
  0xffc0: "0x0",
  0xffc4: tr,
});
const real = { ...selectors({ cs: "0x0", data: "0x0", tr: "0x0" }), 0xffc4: "*" };

const rows: Record<string, Row> = {
  real: { mode: "real", saved: { ...real, 0xfffc: "0x10", 0xfff8: "0x0", 0xff14: "0x0" } },
  protected: {
    mode: "protected",
    saved: { ...selectors(flat), 0xfffc: "0x31", 0xfff8: "0x0", 0xff14: "0x0" },
  },
  paged: {
    mode: "paged",
    saved: { ...selectors(flat), 0xfffc: "*", 0xfff8: "0x10000", 0xff14: "*" },
  },
  pae: {
    mode: "pae",
    saved: { ...selectors(flat), 0xfffc: "*", 0xfff8: "0x10000", 0xff14: "*" },
  },
  flags: {
    mode: "protected",
    machine: { rflags: { set: 0x40cd5n }, cr0: { set: 0x8n }, cr4: { set: 0x600n } },
    saved: { 0xfff4: "0x40cd7", 0xfffc: "0x39", 0xff14: "0x600" },
  },
  // What the handler writes is what RSM loads.
  "eax-changed": {
    mode: "protected",
    handler: store(0xffd0, 0x5a5a5a5a),
    saved: {},
    stored: { 0xffd0: "0x5a5a5a5a" },
    state: "= rax 0x5a5a5a5a",
  },
  "edi-changed": {
    mode: "protected",
    handler: store(0xffec, 0x5a5a5a5a),
    saved: {},
    stored: { 0xffec: "0x5a5a5a5a" },
    state: "= rdi 0x5a5a5a5a",
  },
  "flags-changed": {
    mode: "protected",
    handler: store(0xfff4, 0x8d5),
    saved: {},
    stored: { 0xfff4: "0x8d5" },
    state: "= rflags 0x8d7",
  },
  "debug-registers-changed": {
    mode: "protected",
    handler: store(0xffcc, 0xffff4ff1),
    saved: {},
    stored: { 0xffcc: "0xffff4ff1" },
    state: "= dr6 0xffff4ff1",
  },
  "cr3-changed": {
    mode: "protected",
    handler: store(0xfff8, 0x10000),
    saved: {},
    stored: { 0xfff8: "0x10000" },
    state: "= cr3 0x10000",
  },
  "cr4-changed": {
    mode: "protected",
    handler: store(0xff14, 0x600),
    saved: {},
    stored: { 0xff14: "0x600" },
    state: "= cr4 0x600",
  },
  "cr0-changed": {
    mode: "protected",
    handler: store(0xfffc, 0x1b),
    saved: {},
    stored: { 0xfffc: "0x1b" },
    state: "= cr0 0x1b",
  },
  relocated: {
    mode: "protected",
    handler: store(0xfef8, 0x300000),
    saved: {},
    stored: { 0xfef8: "0x300000" },
    state: "= msr.0x9e 0x300000",
  },
  "paging-without-protection": {
    mode: "protected",
    handler: store(0xfffc, 0x80000010),
    saved: {},
    stored: { 0xfffc: "0x80000010" },
    shutdown: true,
  },
  "reserved-bit-of-cr4": {
    mode: "protected",
    handler: store(0xff14, 0x8000),
    saved: {},
    stored: { 0xff14: "0x8000" },
    shutdown: true,
  },
};

/** Registers of the guest, and where they are saved. */
const registers: Readonly<Record<number, string>> = {
  0xffd0: "0xa1a1a1a1",
  0xffd4: "0xc1c1c1c1",
  0xffd8: "0xd1d1d1d1",
  0xffdc: "0xb1b1b1b1",
  0xffe0: "*",
  0xffe4: "0xb2b2b2b2",
  0xffe8: "0x51515151",
  0xffec: "0xd2d2d2d2",
  0xffcc: "0xffff0ff0",
  0xffc8: "0x400",
  0xfef8: "0x200000",
};

/** A processor without long mode saves its state as a P6 does, and RSM loads it from there. */
export default defineCases("smm/save-area-32", rows, (row) => {
  const { mode, machine, handler = "", saved, stored, state, shutdown } = row;
  return {
    spec: [
      "SDM 3C 32.4.1: SMRAM state save map (table 32-1)",
      "SDM 3C 32.3.2: exiting from SMM (illegal state: shutdown)",
      "KVM API 4.96: KVM_SMI",
    ],
    mode,
    requires,
    machine,
    registers: {
      rax: 0xa1a1a1a1n,
      rbx: 0xb1b1b1b1n,
      rcx: 0xc1c1c1c1n,
      rdx: 0xd1d1d1d1n,
      rsi: 0x51515151n,
      rdi: 0xd2d2d2d2n,
      rbp: 0xb2b2b2b2n,
    },
    guest: asm`
      out 0x10, al
      behind:
      hlt
      handler:
      ${handler}
      out 0x11, al
      rsm
      handler_end:
    `,
    drive: (context) => {
      context.vcpu.setCpuid(without(0x80000001, 0, "edx", 29));
      comeToHlt(context);
      context.vcpu.smi();
    },
    trace: ({ behind }) => {
      const words = { 0xfff0: behind, ...registers, ...saved, ...stored } as Record<number, string>;
      const area = Array.from({ length: 128 }, (_, number) => words[0xfe00 + 4 * number] ?? "*");
      return `
        > set-cpuid
        ${prepared}
        pio out 0x10 u8 0xa1
        ${completed}
        > smi
        pio out 0x11 u8 0xa1
        ${shutdown ? "shutdown" : "hlt"}
        ${shutdown ? "" : state ?? ""}
        = mem 0x${SAVED.toString(16)} u32 [${area.join(" ")}]
      `;
    },
  };
});
